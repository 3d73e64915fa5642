"""Work that goes on beside the requests: one step after the other, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import psycopg
import redis
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

SERVER_ERRORS = (psycopg.Error, redis.RedisError, OperationalError, OSError)
"""What a step raises when PostgreSQL or Redis is away; anything else is a bug and ends the loop."""

PAUSE_AFTER_ERROR_SECONDS = 1.0


class BackgroundLoop:
    """Repeats a step until stopped; a server that is away is waited for and shown.

    Args:
        name: for the thread, the log and readiness.
        step: does a bounded piece of work.
        pause_seconds: between steps; 0 for a step that waits by itself.
    """

    def __init__(self, name: str, step: Callable[[], object], *, pause_seconds: float = 0) -> None:
        self.name = name
        self._step = step
        self._pause_seconds = pause_seconds
        self._stopping = threading.Event()
        self._error: str | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Let the step that runs now be the last; do not wait for it."""
        self._stopping.set()

    def join(self) -> None:
        """Wait for the last step to end."""
        self._thread.join()

    def problem(self) -> str | None:
        """Return why the work is not going on, or None."""
        if not self._thread.is_alive():
            return "not running"
        return self._error

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step()
            except SERVER_ERRORS as error:
                self._note(f"{type(error).__name__}: {error}".strip())
                self._stopping.wait(PAUSE_AFTER_ERROR_SECONDS)
            else:
                self._note(None)
                self._stopping.wait(self._pause_seconds)

    def _note(self, error: str | None) -> None:
        if (error is None) != (self._error is None):
            log.warning("%s %s", self.name, "goes on" if error is None else f"waits: {error}")
        self._error = error


def stop_all(loops: Sequence[BackgroundLoop]) -> None:
    """End the loops together; returns when the slowest has."""
    for loop in loops:
        loop.ask_to_stop()
    for loop in loops:
        loop.join()
