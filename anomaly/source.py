"""Reading a query's samples from Prometheus, on a fixed grid of times."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from anomaly.answers import Answer
from anomaly.panel import Block, SeriesKey, key_of

MAXIMUM_SAMPLES_PER_READ = 2_000
"""Of one series: well under Prometheus' own limit of 11,000."""

FIRST_PIECE_SAMPLES = 20

MAXIMUM_POINTS_PER_READ = 500_000
"""Of all series together: keeps an answer in tens of megabytes, however many there are."""


class RangeReader(Protocol):
    """What is needed of a Prometheus client."""

    def query_range(
        self, expression: str, *, start: datetime, end: datetime, step_seconds: float
    ) -> Answer:
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
    is as long as the one before allows. Each is read while the one before is being used.

    Args:
        progress: told the share that has been read, in (0, 1].

    Raises:
        UpstreamError: as ``query_range`` does; earlier pieces have been given already.
    """
    total = round((end_seconds - start_seconds) / step_seconds) + 1
    if total < 1:
        return

    def piece(first: int, allowed: int) -> tuple[Answer, list[float]]:
        count = min(allowed, total - first)
        times = [start_seconds + (first + at) * step_seconds for at in range(count)]
        begin, end = (datetime.fromtimestamp(at, UTC) for at in (times[0], times[-1]))
        return reader.query_range(
            expression, start=begin, end=end, step_seconds=step_seconds
        ), times

    answer, times = piece(0, min(FIRST_PIECE_SAMPLES, maximum_samples))
    done = len(times)
    with ThreadPoolExecutor(1) as ahead:  # starts no thread unless there is more to read
        while done < total:
            allowed = max(1, min(maximum_samples, maximum_points // max(1, len(answer.labels))))
            coming = ahead.submit(piece, done, allowed)
            yield block_of(answer, times, step_seconds)
            progress(done / total)
            answer, times = coming.result()
            done += len(times)
    yield block_of(answer, times, step_seconds)
    progress(1.0)


def block_of(answer: Answer, times: Sequence[float], step_seconds: float) -> Block:
    """Return the answer of a range read as a matrix; later duplicates of a series fill its gaps."""
    rows: dict[SeriesKey, int] = {}
    row_of = [rows.setdefault(key_of(labels), len(rows)) for labels in answer.labels]
    values = np.full((len(rows), len(times)), np.nan)
    row = np.repeat(np.array(row_of, dtype=np.intp), answer.counts)
    column = np.rint((answer.times_seconds - times[0]) / step_seconds).astype(np.intp)
    inside = (column >= 0) & (column < len(times))
    values[row[inside], column[inside]] = answer.values[inside]
    return Block(tuple(rows), times, values)
