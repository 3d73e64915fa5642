"""What two expositions tell, and where one differs from the other."""

from __future__ import annotations

import math
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


@dataclass
class Told:
    """One exposition: types by family, values by name and labels."""

    types: dict
    values: dict

    @classmethod
    def read(cls, text):
        families = list(text_string_to_metric_families(text))
        types = {family.name: family.type for family in families}
        values = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }
        return cls(types, values)

    def names(self, about_itself=()):
        return {name for name, _ in self.values if not name.startswith(about_itself)}

    def label_names(self, name):
        return {
            frozenset(key for key, _ in labels) - {"server"}
            for found, labels in self.values
            if found == name
        }


@dataclass
class SideBySide:
    """Ours, and an exporter's from just before and just after.

    Attributes:
        about_itself: beginnings of the names with which an exporter tells of itself.
    """

    before: Told
    ours: Told
    after: Told
    about_itself: tuple[str, ...]

    def theirs(self):
        """The names the exporter told both times."""
        return self.before.names(self.about_itself) & self.after.names(self.about_itself)

    def missing(self):
        return self.theirs() - self.ours.names()

    def other_types(self):
        both = self.before.types.keys() & self.ours.types.keys()
        mine, its = self.ours.types, self.before.types
        return {name: (mine[name], its[name]) for name in both if mine[name] != its[name]}

    def other_labels(self):
        return {
            name: (self.ours.label_names(name), self.before.label_names(name))
            for name in self.theirs() & self.ours.names()
            if self.ours.label_names(name) != self.before.label_names(name)
        }

    def other_values(self, lively=()):
        """Samples beyond 2 % or 1 of what the exporter told; and how many were compared."""
        different, compared = {}, 0
        for (name, labels), value in self.ours.values.items():
            plain = labels if (name, labels) in self.before.values else _without_server(labels)
            readings = [
                told.values.get((name, plain), math.nan) for told in (self.before, self.after)
            ]
            # What has nothing to tell yet is told as not a number.
            known = [reading for reading in readings if not math.isnan(reading)]
            if not known or name.startswith((*self.about_itself, *lively)):
                continue
            compared += 1
            low, high = min(known), max(known)
            tolerance = max(1.0, 0.02 * abs(high))
            if not low - tolerance <= value <= high + tolerance:
                different[name, labels] = (low, value, high)
        return different, compared


def _without_server(labels):
    return frozenset((name, value) for name, value in labels if name != "server")
