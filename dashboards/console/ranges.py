"""Series over a span of time, on one grid, so that a gap in the data is a gap in the drawing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from watchkeeper.prometheus import Labels, PrometheusClient, Series

SCRAPE_SECONDS = 5.0
"""The stack's scrape interval; a finer step would draw each sample more than once."""


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start``, ``count`` times ``step_seconds`` apart; both on whole steps since 1970.

    Whole steps keep a chart still between refreshes: the same sample falls on the same point.
    """

    start: float
    step_seconds: float
    count: int

    @classmethod
    def between(cls, start: datetime, end: datetime, *, points: int) -> Span:
        """Return the span from ``start`` to ``end`` of about ``points`` points."""
        length = (end - start).total_seconds()
        steps = max(math.ceil(length / points / SCRAPE_SECONDS), 1)
        step = steps * SCRAPE_SECONDS
        first = math.floor(start.timestamp() / step) * step
        return cls(first, step, math.floor((end.timestamp() - first) / step) + 1)

    def timestamps(self) -> list[float]:
        """Return the times of the grid as Unix seconds."""
        return [self.start + at * self.step_seconds for at in range(self.count)]

    def align(self, series: Series) -> list[float | None]:
        """Return the series' values on the grid; None where it has none."""
        values: list[float | None] = [None] * self.count
        for at, value in zip(series.timestamps, series.values, strict=True):
            position = round((at - self.start) / self.step_seconds)
            if 0 <= position < self.count:
                values[position] = value
        return values


def read(client: PrometheusClient, expression: str, span: Span) -> list[Series]:
    """Return the series of ``expression`` on the grid; raise UpstreamError as the client does."""
    end = span.start + (span.count - 1) * span.step_seconds
    return client.query_range(
        expression,
        start=datetime.fromtimestamp(span.start, UTC),
        end=datetime.fromtimestamp(end, UTC),
        step_seconds=span.step_seconds,
    )


def words_for(labels: Labels) -> str:
    """Return a series' labels in words, or its name when it has none."""
    pairs = [f"{name}={value}" for name, value in sorted(labels.items()) if name != "__name__"]
    return ", ".join(pairs) or labels.get("__name__", "value")
