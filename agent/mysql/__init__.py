"""Asking MySQL and MariaDB: one connection, and the questions."""
