"""When a model that is fitted to a window is fitted again.

Counted in settled samples, never in wall-clock time, so that a replay fits when live did.
"""

from __future__ import annotations

import numpy as np

from anomaly.detectors import Flags, Slots
from anomaly.slots import resized

REFITS_PER_WINDOW = 8


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
        self._learned = np.empty(0, dtype=np.int64)
        self._next = np.empty(0, dtype=np.int64)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._learned = resized(self._learned, slots, 0)
        self._next = resized(self._next, slots, self._minimum_samples)

    def forget(self, slots: Slots) -> None:
        """Start anew for the given slots."""
        self._learned[slots] = 0
        self._next[slots] = self._minimum_samples

    def due(self, seen: Flags) -> Slots:
        """Count one more settled sample where ``seen`` and return which series to fit now."""
        self._learned += seen
        due = np.flatnonzero(self._learned >= self._next)
        if len(due):
            growing = np.maximum(1, (self._learned[due] * self._growth_ratio).astype(np.int64))
            self._next[due] = self._learned[due] + np.minimum(growing, self._longest_samples)
        return due
