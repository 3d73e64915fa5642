"""What has not been seen for days ranks above what comes every day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anomaly.detectors import Floats, Slots
from anomaly.energy import SOFTNESS, energy_of
from anomaly.slots import resized

MEMORY_SECONDS = 3 * 86_400.0
BLOCKS = 12
EMPHASIS = 4.0
"""Chosen with the memory on the development data; docs/anomaly-quality.md has the alternatives."""


class Novelty:
    """Remembers the largest deviation of the last days, in blocks of hours.

    Args:
        step_seconds: spacing of samples.
    """

    def __init__(self, step_seconds: float) -> None:
        self._block_samples = max(1, round(MEMORY_SECONDS / BLOCKS / step_seconds))
        self._in_block = 0
        self._records: npt.NDArray[np.float32] = np.empty((0, BLOCKS), dtype=np.float32)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._records = resized(self._records, slots, np.nan)

    def forget(self, slots: Slots) -> None:
        """Drop the records of the given slots."""
        self._records[slots] = np.nan

    def excess(self, deviation: Floats) -> Floats:
        """Return by how much (>= 0, logarithmic) each deviation beats the record, and remember it.

        0 for the first sample of a series and for a missing one.
        """
        level = np.log(energy_of(deviation) + SOFTNESS)
        record = np.fmax.reduce(self._records, axis=1, initial=np.nan)
        beaten = np.where(np.isnan(record) | np.isnan(level), 0.0, np.maximum(level - record, 0.0))
        self._remember(level)
        return EMPHASIS * beaten

    def _remember(self, level: Floats) -> None:
        if self._in_block == self._block_samples:
            self._records = np.roll(self._records, 1, axis=1)
            self._records[:, 0] = np.nan
            self._in_block = 0
        self._records[:, 0] = np.fmax(self._records[:, 0], level)
        self._in_block += 1
