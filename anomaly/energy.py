"""Averaging deviations so that no single one decides, and none is lost.

An energy is a squared deviation: 1 is usual. Energies are averaged quasi-arithmetically with
``log(energy + SOFTNESS)``: near the arithmetic mean while all are calm, near the geometric one when
one of them shouts. Used over the members of an ensemble and over the channels of an entity, and as
the scale on which deviations are compared over time.
"""

from __future__ import annotations

import math

import numpy as np

from anomaly.detectors import Floats

SOFTNESS = 5.0
LARGEST_DEVIATION = 1e4
"""A channel that never moved before has no unit to be measured in; beyond this is all the same."""

LARGEST_LEVEL = 600.0


def energy_of(deviation: Floats) -> Floats:
    """Return the energy of each deviation, NaN for NaN."""
    energy: Floats = np.minimum(deviation, LARGEST_DEVIATION) ** 2
    return energy


def level_of(deviation: Floats) -> Floats:
    """Return the logarithmic level of each deviation, ``log(SOFTNESS)`` for none at all."""
    level: Floats = np.log(energy_of(deviation) + SOFTNESS)
    return level


def deviation_at(level: Floats) -> Floats:
    """Return the deviation of a level; 0 below the smallest there is."""
    # Novelty lifts a level beyond that of any deviation; its root is still a number.
    return np.sqrt(np.maximum(np.exp(np.minimum(level, LARGEST_LEVEL)) - SOFTNESS, 0.0))


def mean_deviation(energies: Floats) -> Floats:
    """Return the deviation whose energy is the mean of those known; NaN where none is.

    Args:
        energies: ... x members x series, NaN for those that are not known.
    """
    levels = np.log(energies + SOFTNESS)
    unknown = np.isnan(levels)
    if not np.count_nonzero(unknown):
        return deviation_at(np.add.reduce(levels, axis=-2) / levels.shape[-2])
    known = np.add.reduce(~unknown, axis=-2)
    total = np.add.reduce(levels, axis=-2, where=~unknown)
    return np.where(known > 0, deviation_at(total / np.maximum(known, 1)), np.nan)


def share_followed(samples: float) -> float:
    """Return by which share of the way an average over that many samples follows each of them."""
    return 1 - math.exp(-1 / samples)


def smoothed(before: Floats, energy: Floats, share: float | Floats) -> Floats:
    """Return the exponential average of an energy.

    Args:
        before: the average so far, NaN before the first sample.
        energy: the new one; where it is NaN the average stays as it was.
        share: of ``share_followed``; it is broadcast.
    """
    average: Floats = before + share * (energy - before)
    if not np.count_nonzero(np.isnan(average)):
        return average
    average = np.where(np.isnan(before), energy, average)
    return np.where(np.isnan(energy), before, average)
