"""The last half hour of verdicts, for charts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from anomaly.chain import Verdict
from anomaly.detectors import Floats, Slots
from anomaly.panel import Panel
from anomaly.slots import resized

LENGTH_SECONDS = 1_800.0
MAXIMUM_SAMPLES = 360

FIELDS = ("expected", "lower", "upper", "score")


class Trail:
    """What was said of each series lately, one ring a field.

    Args:
        step_seconds: spacing of samples.
        panel: holds the samples themselves; each is appended there first.
    """

    def __init__(self, step_seconds: float, panel: Panel) -> None:
        self._panel = panel
        samples = min(MAXIMUM_SAMPLES, panel.window_samples, int(LENGTH_SECONDS / step_seconds))
        self._length = max(1, samples)
        self._rings = {field: np.empty((0, self._length), dtype=np.float32) for field in FIELDS}
        self._times: list[float] = []
        self._next = 0

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._rings = {field: resized(ring, slots, np.nan) for field, ring in self._rings.items()}

    def forget(self, slots: Slots) -> None:
        """Drop the past of the given slots."""
        for ring in self._rings.values():
            ring[slots] = np.nan

    def append(self, verdict: Verdict, score: np.ndarray) -> None:
        """Keep one verdict, in place of the oldest."""
        columns = (
            verdict.expected,
            verdict.band.lower,
            verdict.band.upper,
            score,
        )
        for field, column in zip(FIELDS, columns, strict=True):
            self._rings[field][:, self._next] = column
        if len(self._times) < self._length:
            self._times.append(verdict.at_seconds)
        else:
            self._times[self._next] = verdict.at_seconds
        self._next = (self._next + 1) % self._length

    def deviation(self, slot: int, since_seconds: float) -> tuple[Floats, Floats]:
        """Return times and signed distances from the expected value, 1 at the edge of the band."""
        order = self._order(since_seconds)
        actual = self._actual(slot, len(order))
        expected, lower, upper = (
            self._rings[field][slot, order].astype(np.float64)
            for field in ("expected", "lower", "upper")
        )
        reach = np.where(actual > expected, upper - expected, expected - lower)
        deviation = (actual - expected) / np.where(reach > 0, reach, np.nan)
        return np.array([self._times[at] for at in order]), deviation

    def _actual(self, slot: int, samples: int) -> Floats:
        """Return so many of the newest samples of a slot, oldest first."""
        newest: Floats = self._panel.recent(samples)[slot].astype(np.float64)
        return newest

    def _order(self, since_seconds: float) -> list[int]:
        """Return the places in the rings of the samples since then, oldest first."""
        count = len(self._times)
        first = self._next if count == self._length else 0
        order = [(first + at) % self._length for at in range(count)]
        return [at for at in order if self._times[at] >= since_seconds]

    def points(self, slot: int, since_seconds: float) -> dict[str, list[float | None]]:
        """Return equal-length lists, oldest first; None where a value is unknown."""
        order = self._order(since_seconds)
        found: dict[str, list[float | None]] = {"timestamps": [self._times[at] for at in order]}
        found["actual"] = _known(self._actual(slot, len(order)))
        return found | {field: _known(ring[slot, order]) for field, ring in self._rings.items()}


def _known(row: npt.NDArray[np.floating[Any]]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in row.tolist()]
