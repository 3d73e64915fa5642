"""A thread that does one kind of work as it arises and survives what goes wrong in it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from watchkeeper.errors import WatchkeeperError
from watchkeeper.logs import get_logger

log = get_logger(__name__)

IDLE_SECONDS = 0.5
"""How often work that became due by the clock is looked for; new work wakes the thread at once."""

TROUBLE_SECONDS = 1.0
"""The pause after a failed step, such as while the database is locked or the disk is full."""


class Worker:
    """Runs ``step`` until it returns False, then waits to be woken.

    Args:
        name: of the thread, and in readiness reasons.
        step: does one piece of work; returns whether there was one.
        pause_seconds: after a step without work, how long at least nothing can be done; 0 when
            that is not known.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        *,
        pause_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.name = name
        self._step = step
        self._pause_seconds = pause_seconds
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Look for work now."""
        self._wake.set()

    def stop(self, *, timeout_seconds: float) -> None:
        """Finish the step under way and end; give up waiting after ``timeout_seconds``."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout_seconds)

    def trouble(self) -> str | None:
        """Return why the last step failed, or None; a readiness check."""
        if self._trouble is None and not self._thread.is_alive():
            return f"{self.name} is not running"
        return self._trouble

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            pause_seconds = IDLE_SECONDS
            try:
                while self._step() and not self._stopping.is_set():
                    pass
                pause_seconds = self._pause_seconds() or IDLE_SECONDS
                self._trouble = None
            except WatchkeeperError as error:
                pause_seconds = TROUBLE_SECONDS
                self._fail(str(error))
            except Exception as error:  # noqa: BLE001  # the thread must outlive a bug; it is shown
                pause_seconds = TROUBLE_SECONDS
                self._fail(f"{type(error).__name__}: {error}", with_traceback=True)
            self._wake.wait(pause_seconds)

    def _fail(self, text: str, *, with_traceback: bool = False) -> None:
        if self._trouble != text:
            log.error(
                "work failed", extra={"worker": self.name, "error": text}, exc_info=with_traceback
            )
        self._trouble = text
