"""Cells over time: one strip for each bucket of a heat map, or for each thing that has a state."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.console.chart import Values
from dashboards.console.quantities import quantity
from dashboards.spec import State, Unit


@dataclass(frozen=True, slots=True)
class Strip:
    """One row of cells: as many values as there are times."""

    label: str
    values: Values


@dataclass(frozen=True, slots=True)
class Cells:
    """Strips over Unix seconds, topmost first; without ``states``, darker means more."""

    timestamps: Sequence[float]
    strips: tuple[Strip, ...]
    states: tuple[State, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return what the browser's script reads."""
        return {
            "kind": "cells",
            "timestamps": list(self.timestamps),
            "strips": [{"label": one.label, "values": list(one.values)} for one in self.strips],
            "states": [
                {"value": one.value, "word": one.word, "level": str(one.level)}
                for one in self.states
            ],
        }


def of_buckets(timestamps: Sequence[float], buckets: Mapping[str, Values], unit: Unit) -> Cells:
    """Return a heat map of cumulative ``buckets`` by upper bound, the largest bound on top.

    Each cell is what its own bucket holds: the difference to the bucket below. Buckets in which
    nothing ever fell are left out at both ends, so that what there is fills the drawing.
    """
    bounds = sorted((_bound(text), text) for text in buckets)
    strips, below = [], [0.0] * len(timestamps)
    for bound, text in bounds:
        counts = [0.0 if value is None else value for value in buckets[text]]
        own = [max(count - under, 0.0) for count, under in zip(counts, below, strict=True)]
        label = "more" if math.isinf(bound) else f"≤ {quantity(bound, unit)}"
        strips.append(Strip(label, [value or None for value in own]))
        below = counts
    return Cells(timestamps, tuple(reversed(_without_empty_ends(strips))))


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:  # not a bucket of Prometheus'; it stands at the bottom
        return -math.inf


def _without_empty_ends(strips: list[Strip]) -> list[Strip]:
    filled = [at for at, strip in enumerate(strips) if any(strip.values)]
    return strips[filled[0] : filled[-1] + 1] if filled else []


def of_states(
    timestamps: Sequence[float],
    strips: Sequence[tuple[str, Values]],
    states: tuple[State, ...],
) -> Cells:
    """Return strips of states; a value that is none of them is a gap."""
    known = {state.value for state in states}
    return Cells(
        timestamps,
        tuple(
            Strip(label, [value if value in known else None for value in values])
            for label, values in strips
        ),
        states,
    )
