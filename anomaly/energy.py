"""Averaging deviations so that no single one decides, and none is lost.

An energy is a squared deviation: 1 is usual. Energies are averaged quasi-arithmetically with
``log(energy + SOFTNESS)``: near the arithmetic mean while all are calm, near the geometric one when
one of them shouts. Used over the members of an ensemble and over the channels of an entity, and as
the scale on which deviations are compared over time.
"""

from __future__ import annotations

from collections.abc import Sequence

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


def mean_deviation(energies: Sequence[Floats]) -> Floats:
    """Return the deviation whose energy is the mean of those known; NaN where none is."""
    total = np.zeros_like(energies[0])
    known = np.zeros_like(energies[0])
    for energy in energies:
        present = np.isfinite(energy)
        total += np.where(present, np.log(energy + SOFTNESS), 0.0)
        known += present
    mean = np.exp(total / np.maximum(known, 1.0)) - SOFTNESS
    return np.where(known > 0, np.sqrt(np.maximum(mean, 0.0)), np.nan)


def smoothed(before: Floats, energy: Floats, samples: float) -> Floats:
    """Return the exponential average of an energy over that many samples.

    Args:
        before: the average so far, NaN before the first sample.
        energy: the new one; where it is NaN the average stays as it was.
    """
    moved = before + (1 - np.exp(-1 / samples)) * (energy - before)
    average: Floats = np.where(np.isnan(before), energy, moved)
    return np.where(np.isnan(energy), before, average)
