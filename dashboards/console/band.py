"""A band around any series on demand: what its own recent past would let one expect.

For a look, not for an alert: the anomaly service judges with seasons, episodes and calibration.
Each point is held against the median of the points before it, never against itself.
"""

from __future__ import annotations

import math
from bisect import insort
from collections import deque
from dataclasses import dataclass

from dashboards.console.chart import Values

WINDOW = 60
"""Points looked back on."""

FEWEST = 12
"""With fewer points before it, nothing is said of a point."""

WIDTH = 4.0
"""Half the band in robust standard deviations; a score is the distance in halves of the band."""

NORMAL_CONSISTENT = 1.4826
"""Makes the median absolute deviation a standard deviation for normal noise (Rousseeuw and Croux,
"Alternatives to the Median Absolute Deviation", 1993)."""

SMALLEST_RATIO = 0.01
"""The band is at least this share of the median wide: a series that never moved has no spread."""


LARGEST_SCORE = 1000.0
"""A series that never moved has hardly a band, and whatever comes next is infinitely far."""


@dataclass(frozen=True, slots=True)
class Band:
    """As many values as the series has; None where nothing can be said."""

    expected: Values
    lower: Values
    upper: Values
    score: Values


def around(values: Values) -> Band:
    """Return the band around a series."""
    recent: deque[float] = deque()
    ordered: list[float] = []
    points = []
    for value in values:
        points.append(_judge(value, ordered))
        if value is not None and math.isfinite(value):
            recent.append(value)
            insort(ordered, value)
            if len(recent) > WINDOW:
                ordered.remove(recent.popleft())
    return Band(*(list(column) for column in zip(*points, strict=True))) if points else NOTHING


NOTHING = Band((), (), (), ())

_Point = tuple[float | None, float | None, float | None, float | None]


def _judge(value: float | None, ordered: list[float]) -> _Point:
    if len(ordered) < FEWEST:
        return (None, None, None, None)
    middle = _median(ordered)
    spread = NORMAL_CONSISTENT * _median(sorted(abs(one - middle) for one in ordered))
    half = max(WIDTH * spread, SMALLEST_RATIO * abs(middle), 1e-12)
    known = value is not None and math.isfinite(value)
    score = min(abs((value or 0.0) - middle) / half, LARGEST_SCORE) if known else None
    return (middle, middle - half, middle + half, score)


def _median(ordered: list[float]) -> float:
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
