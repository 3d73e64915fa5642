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

SHORT_BLOCK_SECONDS = 3_600.0
SHORT_MEMORY_BLOCKS = (5,)
"""Four hours and more: of several incidents of a day each begins anew."""

EMPHASIS = 4.0
EMPHASIS_SHARP = 3.0
EMPHASIS_SHORT = 1.0
"""Chosen with the memories on development data; docs/anomaly-quality.md has the alternatives."""

LARGEST_EXCESS = 1.0
"""By how much a record is beaten counts up to here: beyond, it says how heavy the series' tail is,
not how new the sample. Of energies it is a factor of e."""

Matrix = npt.NDArray[np.float32]


class Novelty:
    """How far deviations beat the records of the last hours and of the last week.

    Those of the week can be kept twice: of the deviation that is judged, and of the sharp one of a
    detector that smooths, in which what just began stands out before the smoothed one has risen.

    Args:
        step_seconds: spacing of samples.
        sharp: whether sharp deviations are looked at, too.
    """

    def __init__(self, step_seconds: float, *, sharp: bool = False) -> None:
        self._judged = Records(step_seconds, BLOCK_SECONDS, MEMORY_BLOCKS)
        self._short = Records(step_seconds, SHORT_BLOCK_SECONDS, SHORT_MEMORY_BLOCKS)
        self._sharp = Records(step_seconds, BLOCK_SECONDS, MEMORY_BLOCKS) if sharp else None

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._judged.resize(slots)
        self._short.resize(slots)
        if self._sharp is not None:
            self._sharp.resize(slots)

    def forget(self, slots: Slots) -> None:
        """Drop the records of the given slots."""
        self._judged.forget(slots)
        self._short.forget(slots)
        if self._sharp is not None:
            self._sharp.forget(slots)

    def excess(self, deviation: Floats, sharp: Floats | None = None) -> Floats:
        """Return by how much (>= 0, logarithmic) the deviations beat the records; remember them.

        The sum over all of them. 0 for the first sample of a series and for a
        missing one.

        Args:
            sharp: asked for where sharp deviations are looked at.
        """
        level = level_of(deviation)
        excess = EMPHASIS * self._judged.beaten(level) + EMPHASIS_SHORT * self._short.beaten(level)
        if self._sharp is not None and sharp is not None:
            excess += EMPHASIS_SHARP * self._sharp.beaten(level_of(sharp))
        return excess


class Records:
    """The highest levels of the last time, block by block.

    Args:
        step_seconds: spacing of samples.
        block_seconds: what is remembered as one level.
        memories: lengths of the records, in blocks; the newest is not full.
    """

    def __init__(
        self, step_seconds: float, block_seconds: float, memories: tuple[int, ...]
    ) -> None:
        self._block_samples = max(1, round(block_seconds / step_seconds))
        self._memories = memories
        self._in_block = 0
        self._blocks: Matrix = np.empty((0, max(memories)), dtype=np.float32)
        # The highest of the full blocks of each memory, so that a sample asks for no more.
        self._highest: Matrix = np.empty((0, len(memories)), dtype=np.float32)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._blocks = resized(self._blocks, slots, np.nan)
        self._highest = resized(self._highest, slots, np.nan)

    def forget(self, slots: Slots) -> None:
        """Drop the records of the given slots."""
        self._blocks[slots] = np.nan
        self._highest[slots] = np.nan

    def beaten(self, level: Floats) -> Floats:
        """Return by how much each level is above the records, summed over the memories.

        No more than ``LARGEST_EXCESS`` each.
        """
        if self._in_block == self._block_samples:
            self._begin_block()
        self._in_block += 1
        newest = self._blocks[:, 0]
        stored = level.astype(np.float32)  # as records are kept: an equal one beats nothing
        beaten = np.zeros(level.shape)
        for memory in range(len(self._memories)):
            excess = stored - np.fmax(self._highest[:, memory], newest)
            beaten += np.fmin(np.fmax(excess, 0.0), LARGEST_EXCESS)
        self._blocks[:, 0] = np.fmax(newest, stored)
        return beaten

    def _begin_block(self) -> None:
        self._in_block = 0
        self._blocks = np.roll(self._blocks, 1, axis=1)
        self._blocks[:, 0] = np.nan
        for memory, blocks in enumerate(self._memories):
            self._highest[:, memory] = np.fmax.reduce(self._blocks[:, :blocks], axis=1)
