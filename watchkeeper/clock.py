"""Time as an argument: decisions take ``now``, only the edges ask a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the edges ask for the time."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""

    def monotonic_seconds(self) -> float:
        """Return seconds that never run backwards; only differences mean anything."""


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic_seconds(self) -> float:
        """Return seconds that never run backwards; only differences mean anything."""
        return time.monotonic()


class ManualClock:
    """A clock that moves only when told to; ships with the product so that users can test rules."""

    def __init__(self, start: datetime) -> None:
        self._now = require_aware(start)
        self._monotonic_seconds = 0.0

    def now(self) -> datetime:
        """Return the time last set."""
        return self._now

    def monotonic_seconds(self) -> float:
        """Return the seconds advanced so far."""
        return self._monotonic_seconds

    def advance(self, seconds: float) -> None:
        """Move forward by ``seconds`` (>= 0)."""
        if seconds < 0:
            raise ValueError(f"a clock is advanced by 0 s or more, not {seconds} s")
        self._now = datetime.fromtimestamp(self._now.timestamp() + seconds, UTC)
        self._monotonic_seconds += seconds


def require_aware(moment: datetime) -> datetime:
    """Return ``moment`` in UTC; raise ValueError for a datetime without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"expected an aware datetime, got {moment.isoformat()} without a zone")
    return moment.astimezone(UTC)


def parse_rfc3339(text: str) -> datetime:
    """Return the aware UTC datetime of an RFC 3339 timestamp; raise ValueError otherwise.

    Go prints nanoseconds; Python keeps microseconds, so further digits are cut.
    """
    head, dot, tail = text.partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        text = f"{head}.{tail[: min(digits, 6)]}{tail[digits:]}"
    return require_aware(datetime.fromisoformat(text))


def format_rfc3339(moment: datetime) -> str:
    """Return ``moment`` as RFC 3339 in UTC with milliseconds and a ``Z``."""
    return require_aware(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")
