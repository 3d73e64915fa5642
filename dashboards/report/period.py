"""The stretch of time a report is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboards.console.ranges import Span

POINTS = 288
"""Five minutes apart in a day."""


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` to ``end``, both aware."""

    start: datetime
    end: datetime

    @classmethod
    def last(cls, seconds: float, *, until: datetime) -> Period:
        """Return the ``seconds`` up to ``until``."""
        return cls(until - timedelta(seconds=seconds), until)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end - self.start).total_seconds()

    @property
    def window(self) -> str:
        """Its length as PromQL writes it, for what ends with it."""
        return f"{self.seconds:.0f}s"

    @property
    def span(self) -> Span:
        """The grid on which it is drawn."""
        return Span.between(self.start, self.end, points=POINTS)

    def before(self) -> Period:
        """Return the period of the same length just before."""
        return Period(self.start - (self.end - self.start), self.start)

    def overlaps(self, start: datetime, end: datetime | None) -> bool:
        """Return whether something from ``start`` to ``end`` (None: still going on) touches it."""
        return start < self.end and (end is None or end > self.start)
