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
"""Of one series: well under Prometheus' own limit of 11,000."""

FIRST_PIECE_SAMPLES = 20

MAXIMUM_POINTS_PER_READ = 1_000_000
"""Of all series together: keeps an answer in tens of megabytes, however many there are."""


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
    maximum_points: int = MAXIMUM_POINTS_PER_READ,
    progress: Callable[[float], None] = lambda _ratio: None,
) -> Iterator[Block]:
    """Read from ``start`` to ``end``, both on the grid and included, in bounded pieces.

    How many series there are is only known from an answer, so the first piece is short, and each
    is as long as the one before allows.

    Args:
        progress: told the share that has been read, in (0, 1].

    Raises:
        UpstreamError: as ``query_range`` does; earlier pieces have been given already.
    """
    total = round((end_seconds - start_seconds) / step_seconds) + 1
    done, allowed = 0, min(FIRST_PIECE_SAMPLES, maximum_samples)
    while done < total:
        count = min(allowed, total - done)
        times = [start_seconds + (done + at) * step_seconds for at in range(count)]
        series = reader.query_range(
            expression,
            start=datetime.fromtimestamp(times[0], UTC),
            end=datetime.fromtimestamp(times[-1], UTC),
            step_seconds=step_seconds,
        )
        yield block_of(series, times, step_seconds)
        done += count
        allowed = max(1, min(maximum_samples, maximum_points // max(1, len(series))))
        progress(done / total)


def block_of(series: Sequence[Series], times: Sequence[float], step_seconds: float) -> Block:
    """Return the answer of a range read as a matrix; later duplicates of a series fill its gaps."""
    keys = [key_of(one.labels) for one in series]
    rows: dict[SeriesKey, int] = {}
    for key in keys:
        rows.setdefault(key, len(rows))
    if len(times) == 1:  # the usual tick, of any number of series: no array for each
        newest = _newest_of(keys, series)
        column = np.fromiter((newest.get(key, np.nan) for key in rows), np.float64, len(rows))
        return Block(tuple(rows), times, column[:, None])
    values = np.full((len(rows), len(times)), np.nan)
    for key, one in zip(keys, series, strict=True):
        row = values[rows[key]]
        columns = np.rint((np.asarray(one.timestamps) - times[0]) / step_seconds).astype(np.intp)
        inside = (columns >= 0) & (columns < len(times))
        row[columns[inside]] = np.asarray(one.values)[inside]
    return Block(tuple(rows), times, values)


def _newest_of(keys: Sequence[SeriesKey], series: Sequence[Series]) -> dict[SeriesKey, float]:
    """Return the last value of each series that has one."""
    return {key: one.values[-1] for key, one in zip(keys, series, strict=True) if one.values}
