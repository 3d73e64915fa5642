"""Runs the whole stack on one machine: starts, watches, restarts, scales and ends its processes."""
