"""What has been strange for a day is less so: one gets used to it, in part.

Not so to an incident: it stays as strange as it began for as long as it goes on.
"""

from __future__ import annotations

import math

import numpy as np

from anomaly.detectors import Flags, Floats, Slots
from anomaly.energy import level_of
from anomaly.slots import resized

MEMORY_SECONDS = 86_400.0
"""A day: what comes every noon is in it as much at one hour as at another."""

SHARE = 0.3
"""How much of it one gets used to. A third leaves what is strange enough strange for as long as it
lasts; chosen with the memory on development data, docs/anomaly-quality.md."""

CALM_LEVEL = float(level_of(np.array(1.0)))
"""Where a usual deviation lies: there is nothing to get used to."""


class Habituation:
    """The mean level of every series over about a day, by a share of which new levels are lowered.

    Args:
        step_seconds: spacing of samples.
    """

    def __init__(self, step_seconds: float) -> None:
        self._follow = 1 - math.exp(-step_seconds / MEMORY_SECONDS)
        self._mean = np.empty(0)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._mean = resized(self._mean, slots, CALM_LEVEL)

    def forget(self, slots: Slots) -> None:
        """Be used to nothing in the given slots."""
        self._mean[slots] = CALM_LEVEL

    def lowered(self, level: Floats, firing: Flags) -> Floats:
        """Return each level less what one is used to, NaN for NaN; remember it afterwards.

        A calmer day than usual raises nothing, and nothing of an episode that goes on, whose slots
        ``firing`` marks, is remembered.
        """
        lowered = level - SHARE * np.maximum(self._mean - CALM_LEVEL, 0.0)
        moved = self._mean + self._follow * (level - self._mean)
        self._mean = np.where(np.isnan(level) | firing, self._mean, moved)
        return lowered
