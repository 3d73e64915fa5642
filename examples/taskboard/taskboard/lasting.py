"""A fault that something keeps making, until it is mended or a quarter of an hour has passed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LONGEST_SECONDS = 15 * 60


class LastingFault:
    """Takes one step after the other on a thread of its own.

    Args:
        name: of the thread.
        pause_seconds: before each step.
        begin: called at each start; what it returns is called for each step.
    """

    def __init__(
        self, name: str, pause_seconds: float, begin: Callable[[], Callable[[], None]]
    ) -> None:
        self._name = name
        self._pause_seconds = pause_seconds
        self._begin = begin
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Break it."""
        if not self.is_on():
            self._stopping = threading.Event()
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Mend it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def is_on(self) -> bool:
        """Return whether it is broken now."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        step = self._begin()
        deadline = time.monotonic() + LONGEST_SECONDS
        while not self._stopping.wait(self._pause_seconds) and time.monotonic() < deadline:
            step()
