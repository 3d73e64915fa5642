"""What an exposition tells, in the form in which two of them can be compared."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


@dataclass
class Reading:
    """One exposition: types by family, values by name and labels. An empty label is none."""

    types: dict[str, str]
    values: dict[tuple[str, frozenset[tuple[str, str]]], float]

    @classmethod
    def read(cls, text):
        families = list(text_string_to_metric_families(text))
        types = {family.name: family.type for family in families}
        values = {
            (sample.name, frozenset((k, v) for k, v in sample.labels.items() if v)): sample.value
            for family in families
            for sample in family.samples
        }
        return cls(types, values)

    def names(self, without=()):
        return {name for name, _ in self.values if not name.startswith(without)}

    def label_names(self, name):
        return {
            frozenset(key for key, _ in labels) for found, labels in self.values if found == name
        }

    def only(self, names):
        """Return the part of it with these names."""
        kept = {key: value for key, value in self.values.items() if key[0] in names}
        return Reading(self.types, kept)


def disagreements(low, ours, high):
    """Return what of ``ours`` lies outside two readings before and after, beyond 2 % or a unit."""
    found = {}
    for key in low.values.keys() & ours.values.keys() & high.values.keys():
        least, most = sorted((low.values[key], high.values[key]))
        tolerance = max(1.0, 0.02 * abs(most))
        if not least - tolerance <= ours.values[key] <= most + tolerance:
            found[key] = (least, ours.values[key], most)
    return found
