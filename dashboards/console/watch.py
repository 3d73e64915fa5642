"""Asking every source on its own schedule, so that no page ever waits for one that hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from dashboards.console.reading import Reading
from watchkeeper.clock import Clock, SystemClock
from watchkeeper.errors import UpstreamError
from watchkeeper.logs import get_logger

log = get_logger(__name__)

Ask = Callable[[], Any]
"""Returns a source's answer, or raises UpstreamError."""


class Watch:
    """Readings of named sources, each asked by a thread of its own.

    Args:
        sources: what to ask, by name.
        refresh_seconds: between the end of one answer and the next question; asked each time.
        clock: for the time of an answer.
    """

    def __init__(
        self,
        sources: Mapping[str, Ask],
        *,
        refresh_seconds: Callable[[], float],
        clock: Clock | None = None,
    ) -> None:
        self._sources = dict(sources)
        self._refresh_seconds = refresh_seconds
        self._clock = clock or SystemClock()
        self._readings: dict[str, Reading[Any]] = {name: Reading() for name in sources}
        self._changed = threading.Condition()
        self._revision = 0
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def revision(self) -> int:
        """A number that grows whenever any source says something new."""
        with self._changed:
            return self._revision

    def readings(self) -> dict[str, Reading[Any]]:
        """Return the latest reading of every source."""
        with self._changed:
            return dict(self._readings)

    def ask(self, name: str) -> None:
        """Ask one source now and keep what it says."""
        try:
            value = self._sources[name]()
        except UpstreamError as error:
            self._keep(name, self._readings[name].failed(str(error)))
        else:
            self._keep(name, self._readings[name].answered(value, self._clock.now()))

    def ask_all(self) -> None:
        """Ask every source once, one after the other."""
        for name in self._sources:
            self.ask(name)

    def start(self) -> None:
        """Begin to ask, each source on a thread of its own."""
        self._threads = [
            threading.Thread(target=self._run, args=(name,), name=f"watch-{name}", daemon=True)
            for name in self._sources
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop asking; answers under way are not waited for."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()

    def wait_for_change(self, since: int, *, timeout_seconds: float) -> int:
        """Return the revision once it differs from ``since``, or after the timeout."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._revision != since or self._stopping.is_set(), timeout_seconds
            )
            return self._revision

    @property
    def is_stopping(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopping.is_set()

    def unasked(self) -> list[str]:
        """Return the sources that have neither answered nor failed yet."""
        return [name for name, reading in self.readings().items() if not reading.asked]

    def _run(self, name: str) -> None:
        while not self._stopping.is_set():
            self._ask_supervised(name)
            self._stopping.wait(self._refresh_seconds())

    def _ask_supervised(self, name: str) -> None:
        try:
            self.ask(name)
        except Exception as error:  # a surprise must not freeze old news as current
            log.exception("a source could not be read", extra={"source": name})
            problem = f"the console could not read the answer ({type(error).__name__})"
            self._keep(name, self._readings[name].failed(f"{problem}; its log says more"))

    def _keep(self, name: str, reading: Reading[Any]) -> None:
        with self._changed:
            before = self._readings[name]
            self._readings[name] = reading
            if (before.value, before.problem, before.asked) != (
                reading.value,
                reading.problem,
                reading.asked,
            ):
                self._revision += 1
                self._changed.notify_all()
