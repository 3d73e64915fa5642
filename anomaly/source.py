"""Reading a query's samples from Prometheus, on a fixed grid of times."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from anomaly.panel import Block, SeriesKey, key_of
from watchkeeper.prometheus import Series

MAXIMUM_SAMPLES_PER_READ = 2_000
"""Well under Prometheus' own limit of 11,000 points a series; keeps an answer in megabytes."""


class RangeReader(Protocol):
    """What is needed of a Prometheus client."""

    def query_range(
        self, expression: str, *, start: datetime, end: datetime, step_seconds: float
    ) -> list[Series]:
        """Evaluate ``expression`` from ``start`` to ``end``, both included, every step."""


def grid_end_seconds(now_seconds: float, step_seconds: float, delay_seconds: float) -> float:
    """Return the newest time on the grid (multiples of the step) that is at least ``delay`` old."""
    return math.floor((now_seconds - delay_seconds) / step_seconds) * step_seconds


def read_blocks(
    reader: RangeReader,
    expression: str,
    *,
    start_seconds: float,
    end_seconds: float,
    step_seconds: float,
    maximum_samples: int = MAXIMUM_SAMPLES_PER_READ,
    progress: Callable[[float], None] = lambda _ratio: None,
) -> Iterator[Block]:
    """Read from ``start`` to ``end``, both on the grid and included, in bounded pieces.

    Args:
        progress: told the share that has been read, in (0, 1].

    Raises:
        UpstreamError: as ``query_range`` does; earlier pieces have been given already.
    """
    total = round((end_seconds - start_seconds) / step_seconds) + 1
    for done in range(0, total, maximum_samples):
        count = min(maximum_samples, total - done)
        times = [start_seconds + (done + at) * step_seconds for at in range(count)]
        series = reader.query_range(
            expression,
            start=datetime.fromtimestamp(times[0], UTC),
            end=datetime.fromtimestamp(times[-1], UTC),
            step_seconds=step_seconds,
        )
        yield block_of(series, times, step_seconds)
        progress((done + count) / total)


def block_of(series: Sequence[Series], times: Sequence[float], step_seconds: float) -> Block:
    """Return the answer of a range read as a matrix; later duplicates of a series fill its gaps."""
    rows: dict[SeriesKey, int] = {}
    for one in series:
        rows.setdefault(key_of(one.labels), len(rows))
    values = np.full((len(rows), len(times)), np.nan)
    for one in series:
        row = values[rows[key_of(one.labels)]]
        columns = np.rint((np.asarray(one.timestamps) - times[0]) / step_seconds).astype(np.intp)
        inside = (columns >= 0) & (columns < len(times))
        found = np.asarray(one.values)[inside]
        row[columns[inside]] = found
    return Block(tuple(rows), times, values)
