"""When a model that is fitted to a window is fitted again.

Counted in settled samples, never in wall-clock time, so that a replay fits when live did; and each
series at a time of its own, so that thousands that began together are not all fitted at once.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from anomaly.detectors import Flags, Slots
from anomaly.slots import resized

REFITS_PER_WINDOW = 8

SPREAD_RATIO = 0.25
"""Fits follow each other after 7/8 to 9/8 of the time: soon they are spread over all of it."""


@runtime_checkable
class Spread(Protocol):
    """A detector that fits the series of a query one after the other."""

    def spread(self, slot: int, share: float) -> None:
        """Take note of a number in [0, 1) that is the own of the series in a slot."""


class Refits:
    """Fits at the minimum, then as the window grows, then at each eighth of a full window.

    Args:
        minimum_samples: of the first fit.
        window_samples: length of the window the model sees.
        growth_ratio: while the window fills, fit at each such share more; smaller for models
            that are dear to fit.
    """

    def __init__(
        self, minimum_samples: int, window_samples: int, *, growth_ratio: float = 0.25
    ) -> None:
        self._of_one = SeriesRefits(minimum_samples, window_samples, growth_ratio=growth_ratio)
        self._of_one.resize(1)

    def due(self) -> bool:
        """Count one more settled sample and return whether to fit now."""
        return bool(len(self._of_one.due(np.array([True]))))


class SeriesRefits:
    """The same for each series by its own samples: one that comes later is fitted as early.

    Args: as of ``Refits``.
    """

    def __init__(
        self, minimum_samples: int, window_samples: int, *, growth_ratio: float = 0.25
    ) -> None:
        self._minimum_samples = minimum_samples
        self._longest_samples = max(1, window_samples // REFITS_PER_WINDOW)
        self._growth_ratio = growth_ratio
        self._learned = np.empty(0, dtype=np.int32)
        self._next = np.empty(0, dtype=np.int32)
        self._pace = np.empty(0, dtype=np.float32)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._learned = resized(self._learned, slots, 0)
        self._next = resized(self._next, slots, self._minimum_samples)
        self._pace = resized(self._pace, slots, 1.0)

    def spread(self, slot: int, share: float) -> None:
        """Take note of a number in [0, 1) that is the own of the series in a slot."""
        self._pace[slot] = 1.0 + SPREAD_RATIO * (share - 0.5)

    def forget(self, slots: Slots) -> None:
        """Start anew for the given slots."""
        self._learned[slots] = 0
        self._next[slots] = self._minimum_samples

    def due(self, seen: Flags) -> Slots:
        """Count one more settled sample where ``seen`` and return which series to fit now."""
        self._learned += seen
        due = (self._learned >= self._next).nonzero()[0]
        if len(due):
            growing = np.minimum(self._learned[due] * self._growth_ratio, self._longest_samples)
            paced = (growing * self._pace[due]).astype(np.int32)
            self._next[due] = self._learned[due] + np.maximum(1, paced)
        return due
