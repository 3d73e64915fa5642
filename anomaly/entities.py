"""One judgement of a host or service from all its series of a query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from anomaly.detectors import Floats, Moment, Past, Slots, Terms
from anomaly.detectors.subspace import WINDOW_SAMPLES
from anomaly.energy import deviation_at, energy_of, level_of, mean_deviation, smoothed
from anomaly.joint_subspace import JointSubspace
from anomaly.panel import SeriesKey

SMOOTHING_SAMPLES = 4.0


class Entity:
    """The series that share their values of the grouping labels."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._slots: list[int] = []
        self._joint = JointSubspace(terms)
        self._joint_energy = np.array(np.nan)

    @property
    def slots(self) -> Slots:
        """Return the slots of its series, in order."""
        return np.array(self._slots, dtype=np.intp)

    def join(self, slot: int) -> None:
        """Add a series. What the others did together says nothing of it, so that starts anew."""
        self._slots = sorted([*self._slots, slot])
        self._joint = JointSubspace(self._terms)

    def leave(self, slot: int) -> None:
        """Remove a series."""
        self._slots.remove(slot)
        self._joint = JointSubspace(self._terms)

    def mean(self, deviations: Floats) -> float:
        """Return the mean deviation of its channels, NaN when none has one.

        Args:
            deviations: of every slot, each on its own.
        """
        level = level_of(deviations[self.slots])
        known = np.isfinite(level)
        return float(deviation_at(level[known].mean())) if known.any() else float("nan")

    def deviation(self, moment: Moment, deviations: Floats) -> float:
        """Return how strange the entity is: its channels' mean, and how they move together.

        Args:
            deviations: of every slot, each on its own.
        """
        slots = self.slots
        channels = energy_of(np.array(self.mean(deviations)))
        if len(slots) == 1:
            return float(np.sqrt(channels))
        before = moment.recent[slots, -(WINDOW_SAMPLES - 1) :].astype(np.float64)
        window = np.full((len(slots), WINDOW_SAMPLES), np.nan)
        window[:, WINDOW_SAMPLES - 1 - before.shape[1] : -1] = before
        window[:, -1] = moment.values[slots]
        joint = energy_of(np.array(self._joint.score(window)))
        self._joint_energy = smoothed(self._joint_energy, joint, SMOOTHING_SAMPLES)
        return float(
            mean_deviation([channels, np.where(np.isnan(joint), joint, self._joint_energy)])
        )

    def learn(self, past: Past) -> None:
        """Take one more settled sample of each series into account."""
        if len(self._slots) < 2 or not np.isfinite(past.newest[self._slots]).any():
            return
        if self._joint.due():
            self._joint.learn(past.window()[self.slots])


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

    def means(self, deviations: Floats) -> Floats:
        """Return for every series the mean deviation of its entity's; NaN where it has none."""
        found = np.full(deviations.shape, np.nan)
        for entity in self._by_group.values():
            found[entity.slots] = entity.mean(deviations)
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
