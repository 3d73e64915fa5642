"""Where panels lie: computed from their kinds on a grid of 24 columns, so that nothing overlaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from dashboards.spec import Gauge, Panel, Row, Stat, StateTimeline, Table

COLUMNS = 24
"""Grafana's grid width."""


@dataclass(frozen=True, slots=True)
class Place:
    """A panel's rectangle in grid units."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Shape:
    """How many panels of a kind stand side by side at most, and how tall they are."""

    per_line: int
    height: int


def shape_of(panel: Panel) -> Shape:
    """Return the shape of a panel's kind."""
    if isinstance(panel, Stat | Gauge):
        return Shape(per_line=6, height=4)
    if isinstance(panel, Table):
        return Shape(per_line=1, height=9)
    if isinstance(panel, StateTimeline):
        return Shape(per_line=2, height=8)
    return Shape(per_line=3, height=8)


def place(rows: Sequence[Row]) -> Iterator[tuple[Row, Place, list[tuple[Panel, Place]]]]:
    """Yield each row with the place of its heading and of its panels, top to bottom."""
    y = 0
    for row in rows:
        heading = Place(0, y, COLUMNS, 1)
        panels = list(_fill(row.panels, y + 1))
        yield row, heading, panels
        y = max((spot.y + spot.height for _, spot in panels), default=y + 1)


def _fill(panels: Sequence[Panel], y: int) -> Iterator[tuple[Panel, Place]]:
    for shape, alike in groupby(panels, shape_of):
        for line in _lines(list(alike), shape.per_line):
            yield from zip(line, _side_by_side(len(line), y, shape.height), strict=True)
            y += shape.height


def _lines(panels: list[Panel], per_line: int) -> Iterator[list[Panel]]:
    """Split into as few lines as possible, as even as possible, the fuller ones first."""
    count = -(-len(panels) // per_line)
    for at in range(count):
        start = -(-len(panels) * at // count)
        end = -(-len(panels) * (at + 1) // count)
        yield panels[start:end]


def _side_by_side(count: int, y: int, height: int) -> Iterator[Place]:
    for at in range(count):
        left, right = COLUMNS * at // count, COLUMNS * (at + 1) // count
        yield Place(left, y, right - left, height)
