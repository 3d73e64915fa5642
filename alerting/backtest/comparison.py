"""What differs between two rehearsals of the same past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Counts = Mapping[str, Mapping[str, int]]
"""How often, by kind (incidents, messages, actions) and then by name."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that would have happened more or less often."""

    kind: str
    name: str
    before: int
    after: int

    @property
    def sign(self) -> str:
        """``+`` where there is more of it, ``-`` where there is less."""
        return "+" if self.after > self.before else "-"


def changes(before: Counts, after: Counts) -> list[Change]:
    """Return what differs, in the order of ``after``'s kinds and then by name."""
    return [
        Change(kind, name, before.get(kind, {}).get(name, 0), counts.get(name, 0))
        for kind, counts in after.items()
        for name in sorted({*before.get(kind, {}), *counts})
        if before.get(kind, {}).get(name, 0) != counts.get(name, 0)
    ]
