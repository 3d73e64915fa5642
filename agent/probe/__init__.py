"""Probing a service as its users meet it."""
