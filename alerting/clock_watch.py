"""Sees the wall clock jump ahead: time that did not pass must not end a cooldown."""

from __future__ import annotations

from datetime import datetime

from watchkeeper.clock import Clock

JUMP_SECONDS = 5.0
"""More than any slewing of NTP between two looks, which come at least every second or so."""


class ClockWatch:
    """Compares the wall clock with the monotonic one at every look."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_seconds = self._offset()
        self._jumped_at: datetime | None = None

    def jumped_at(self) -> datetime | None:
        """Return when the clock last jumped ahead, by its new reckoning, or None."""
        offset_seconds = self._offset()
        if offset_seconds - self._offset_seconds > JUMP_SECONDS:
            self._jumped_at = self._clock.now()
        self._offset_seconds = offset_seconds
        return self._jumped_at

    def _offset(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic_seconds()
