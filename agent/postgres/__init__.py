"""Asking PostgreSQL: one connection, and the questions."""
