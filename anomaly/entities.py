"""One judgement of a host or service from all its series of a query."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from anomaly.detectors import Floats, Moment, Past, Slots, Terms
from anomaly.detectors.subspace import WINDOW_SAMPLES
from anomaly.energy import LARGEST_DEVIATION, SOFTNESS, level_of
from anomaly.joint_subspace import JointSubspace
from anomaly.panel import SeriesKey

FOLLOW = 1 - math.exp(-1 / 4)
"""The joint energy is averaged over four samples."""

JOINT_SHARE = 0.4
JOINT_SOFTNESS = 1.0
"""A length over all dimensions strays little from 1, so it counts from smaller energies on."""


class Entity:
    """The series that share their values of the grouping labels.

    Attributes:
        slots: of its series, in order.
    """

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self.slots: Slots = np.empty(0, dtype=np.intp)
        self._joint = JointSubspace(terms)
        self._joint_energy = math.nan

    def join(self, slot: int) -> None:
        """Add a series. What the others did together says nothing of it, so that starts anew."""
        self._take(np.sort(np.append(self.slots, slot)))

    def leave(self, slot: int) -> None:
        """Remove a series."""
        self._take(self.slots[self.slots != slot])

    def _take(self, slots: Slots) -> None:
        self.slots = slots
        self._joint = JointSubspace(self._terms)

    def mean(self, deviations: Floats) -> float:
        """Return the mean deviation of its channels, NaN when none has one.

        Args:
            deviations: of every slot, each on its own.
        """
        level = level_of(deviations[self.slots])
        known = level[np.isfinite(level)]
        return _deviation_at(known.sum() / len(known)) if len(known) else math.nan

    def deviation(self, moment: Moment, deviations: Floats) -> float:
        """Return how strange the entity is: its channels' mean, and how they move together.

        Args:
            deviations: of every slot, each on its own.
        """
        channels = self.mean(deviations)
        if len(self.slots) == 1 or math.isnan(channels):
            return channels
        joint = self._joint.score(_window_of(moment, self.slots))
        if math.isnan(joint):
            return channels
        energy = min(joint, LARGEST_DEVIATION) ** 2
        before = self._joint_energy
        self._joint_energy = energy if math.isnan(before) else before + FOLLOW * (energy - before)
        return _deviation_at(mean_level(channels, self._joint_energy))

    def learn(self, past: Past) -> None:
        """Take one more settled sample of each series into account."""
        if len(self.slots) < 2 or not np.isfinite(past.newest[self.slots]).any():
            return
        if self._joint.due():
            self._joint.learn(past.window(self.slots))


def mean_level(channels: float, joint_energy: float) -> float:
    """Return the level of an entity from its channels' mean deviation and the joint energy.

    Both count as usual where their energy is 1.
    """
    of_channels = math.log(min(channels, LARGEST_DEVIATION) ** 2 + SOFTNESS)
    gain = math.log((joint_energy + JOINT_SOFTNESS) / (1 + JOINT_SOFTNESS))
    return (1 - JOINT_SHARE) * of_channels + JOINT_SHARE * (math.log(1 + SOFTNESS) + gain)


def _deviation_at(level: float) -> float:
    return math.sqrt(max(math.exp(level) - SOFTNESS, 0.0))


def _window_of(moment: Moment, slots: Slots) -> npt.NDArray[np.float64]:
    """Return the newest samples of the given slots, gaps NaN."""
    before = moment.recent[:, -(WINDOW_SAMPLES - 1) :][slots]
    window = np.empty((len(slots), WINDOW_SAMPLES))
    window[:, : -1 - before.shape[1]] = np.nan
    window[:, -1 - before.shape[1] : -1] = before
    window[:, -1] = moment.values[slots]
    return window


class Entities:
    """The entities of a query, by the values of its grouping labels.

    Args:
        group_by: label names; series without one of them share the empty value.
    """

    def __init__(self, group_by: Sequence[str], terms: Terms) -> None:
        self._group_by = tuple(group_by)
        self._terms = terms
        self._by_group: dict[tuple[str, ...], Entity] = {}
        self._of_slot: dict[int, tuple[str, ...]] = {}

    def place(self, key: SeriesKey, slot: int) -> None:
        """Put a series into its entity; one that is there already stays."""
        if slot in self._of_slot:
            return
        labels = dict(key)
        group = tuple(labels.get(name, "") for name in self._group_by)
        self._of_slot[slot] = group
        self._by_group.setdefault(group, Entity(self._terms)).join(slot)

    def forget(self, slots: Slots) -> None:
        """Take series out of their entities."""
        for slot in slots:
            group = self._of_slot.pop(int(slot))
            entity = self._by_group[group]
            entity.leave(int(slot))
            if not len(entity.slots):
                del self._by_group[group]

    def deviations(self, moment: Moment, deviations: Floats) -> Floats:
        """Return for every series the deviation of its entity; NaN where it has no sample now."""
        found = np.full(deviations.shape, np.nan)
        for entity in self._by_group.values():
            found[entity.slots] = entity.deviation(moment, deviations)
        return np.where(np.isfinite(deviations), found, np.nan)

    def rates(self, ready: Slots, anomalous: Slots) -> dict[str, float]:
        """Return by group the share of its ready series that are anomalous."""
        groups = Counter(self._of_slot[slot] for slot in ready.tolist())
        strange = Counter(self._of_slot[slot] for slot in anomalous.tolist())
        return {", ".join(group): strange[group] / count for group, count in groups.items()}

    def learn(self, past: Past) -> None:
        """Let every entity take one more settled sample into account."""
        for entity in self._by_group.values():
            entity.learn(past)
