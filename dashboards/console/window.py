"""The stretch of time somebody looks at: so long, until now or until a moment that stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from dashboards.console.ranges import Span

RANGES_SECONDS = {
    "15m": 900,
    "1h": 3600,
    "6h": 21_600,
    "24h": 86_400,
    "7d": 604_800,
}
"""What can be chosen, by the word in the address; the words are Prometheus' own durations."""

POINTS = 240
"""Points of a line; a phone shows fewer, a desk hardly more."""

DEFAULT_RANGE = "1h"


@dataclass(frozen=True, slots=True)
class Window:
    """A range of ``RANGES_SECONDS`` that ends at ``until``; without one it moves on with time."""

    range: str = DEFAULT_RANGE
    until: datetime | None = None

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return timedelta(seconds=RANGES_SECONDS[self.range])

    def end(self, now: datetime) -> datetime:
        """Return when it ends."""
        return now if self.until is None else min(self.until, now)

    def span(self, now: datetime) -> Span:
        """Return its grid of times."""
        end = self.end(now)
        return Span.between(end - self.length, end, points=POINTS)

    def earlier(self, now: datetime) -> Window:
        """Return the one that ends half a length before this one."""
        return replace(self, until=self.end(now) - self.length / 2)

    def later(self, now: datetime) -> Window:
        """Return the one that ends half a length after this one; now at the latest."""
        until = self.end(now) + self.length / 2
        return replace(self, until=None if until >= now else until)

    def query(self) -> dict[str, str]:
        """Return the parameters of an address that holds it."""
        until = {} if self.until is None else {"until": f"{self.until.timestamp():.0f}"}
        return {"range": self.range, **until}


def window_of(arguments: Mapping[str, str], *, default: str = DEFAULT_RANGE) -> Window:
    """Return what an address asks for; what nobody offers becomes the default."""
    asked = arguments.get("range", default)
    return Window(
        asked if asked in RANGES_SECONDS else default, _moment(arguments.get("until", ""))
    )


def _moment(seconds: str) -> datetime | None:
    """Return the time of a number of Unix seconds before the year 2500, else None."""
    is_number = seconds.isascii() and seconds.isdecimal() and len(seconds) <= 11
    number = int(seconds) if is_number else 0
    return datetime.fromtimestamp(number, UTC) if 0 < number < LATEST_SECONDS else None


LATEST_SECONDS = 16_725_225_600
