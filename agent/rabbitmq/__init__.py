"""Asking RabbitMQ's management API."""
