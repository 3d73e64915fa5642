"""Asking a server that speaks the Redis protocol: the questions and what the answers mean."""
