"""What has not been seen for days ranks above what comes every day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anomaly.detectors import Floats, Slots
from anomaly.energy import level_of
from anomaly.slots import resized

BLOCK_SECONDS = 6 * 3_600.0
MEMORY_BLOCKS = (5, 13, 29)
"""At least a day, three days, a week (the newest block is not full): what comes at the same time
each day is not new, and what breaks the record of a week breaks the shorter ones, too."""

EMPHASIS = 4.0
EMPHASIS_SHARP = 1.0
"""Chosen with the memories on development data; docs/anomaly-quality.md has the alternatives."""

Records = npt.NDArray[np.float32]


class Novelty:
    """Remembers the largest deviations of the last week, in blocks of hours.

    Two records are kept: of the deviation that is judged, and of the sharp one, in which what has
    just begun stands out before a smoothed one has risen.

    Args:
        step_seconds: spacing of samples.
    """

    def __init__(self, step_seconds: float) -> None:
        self._block_samples = max(1, round(BLOCK_SECONDS / step_seconds))
        self._in_block = 0
        shape = (0, max(MEMORY_BLOCKS))
        self._judged: Records = np.empty(shape, dtype=np.float32)
        self._sharp: Records = np.empty(shape, dtype=np.float32)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._judged = resized(self._judged, slots, np.nan)
        self._sharp = resized(self._sharp, slots, np.nan)

    def forget(self, slots: Slots) -> None:
        """Drop the records of the given slots."""
        self._judged[slots] = np.nan
        self._sharp[slots] = np.nan

    def excess(self, deviation: Floats, sharp: Floats) -> Floats:
        """Return by how much (>= 0, logarithmic) the deviations beat the records; remember them.

        The sum over both and over the memories. 0 for the first sample of a series and for a
        missing one.
        """
        if self._in_block == self._block_samples:
            self._judged, self._sharp = _with_new_block(self._judged), _with_new_block(self._sharp)
            self._in_block = 0
        self._in_block += 1
        judged, sharply = _beaten(self._judged, deviation), _beaten(self._sharp, sharp)
        return EMPHASIS * judged + EMPHASIS_SHARP * sharply


def _with_new_block(records: Records) -> Records:
    moved = np.roll(records, 1, axis=1)
    moved[:, 0] = np.nan
    return moved


def _beaten(records: Records, deviation: Floats) -> Floats:
    level = level_of(deviation)
    beaten = np.zeros(level.shape)
    for blocks in MEMORY_BLOCKS:
        record = np.fmax.reduce(records[:, :blocks], axis=1)
        beaten += np.fmax(level - record, 0.0)
    records[:, 0] = np.fmax(records[:, 0], level)
    return beaten
