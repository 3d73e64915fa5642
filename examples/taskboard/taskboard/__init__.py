"""Taskboard: a small real task-handling service to watch, load and break."""
