"""Celery on a Redis-compatible broker: its messages, and the events of its workers."""
