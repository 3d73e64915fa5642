"""A thread that runs collectors in turn, and another in its place when one of them hangs.

Collectors that only read small kernel files share a lane: they run in one go, which costs a
fraction of waking a thread for each. Whatever may wait for something has a lane of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from agent.runner import Runner
from watchkeeper.clock import Clock

GRACE_SECONDS = 0.5
"""A run that lasts longer no longer holds up the others of its lane."""


class Lane:
    """Runs its runners when they are due, one after another."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._runners: Sequence[Runner] = ()
        self._changed = threading.Condition()
        self._turn = 0  # of the thread at work; one of an earlier turn ends with its run
        self._thread: threading.Thread | None = None
        self._busy_since: float | None = None

    def drive(self, runners: Sequence[Runner]) -> None:
        """Run exactly these from now on; with none the thread ends."""
        with self._changed:
            self._runners = tuple(runners)
            self._changed.notify_all()
            if self._thread is None and runners:
                self._start_thread()

    def relieve(self) -> None:
        """Let a new thread go on with the others where a run takes too long."""
        with self._changed:
            if self._busy_since is None or len(self._runners) < 2:
                return
            if self._clock.monotonic_seconds() - self._busy_since > GRACE_SECONDS:
                self._busy_since = None
                self._turn += 1
                self._start_thread()

    def join(self, timeout_seconds: float) -> None:
        """Wait for the thread at work to end, after ``drive`` with none."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_seconds)

    def _start_thread(self) -> None:
        self._thread = threading.Thread(
            target=self._work, args=(self._turn,), name=self._name, daemon=True
        )
        self._thread.start()

    def _work(self, turn: int) -> None:
        while (runner := self._next_due(turn)) is not None:
            runner.run()
            with self._changed:
                if turn == self._turn:
                    self._busy_since = None
                self._changed.notify_all()  # its successor may be waiting for it

    def _next_due(self, turn: int) -> Runner | None:
        """Wait for the next runner that is due; None when this thread has nothing more to do."""
        with self._changed:
            while turn == self._turn and self._runners:
                now = self._clock.monotonic_seconds()
                first = None
                for runner in self._runners:
                    if runner.is_available and (
                        first is None or runner.due_seconds < first.due_seconds
                    ):
                        first = runner
                if first is not None and first.due_seconds <= now:
                    self._busy_since = now
                    return first
                self._changed.wait(first.due_seconds - now if first is not None else None)
            if turn == self._turn:
                self._thread = None
            return None
