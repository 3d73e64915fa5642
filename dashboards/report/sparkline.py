"""A line small enough to stand in a table, as an SVG path: it needs no script and prints well."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT = 120, 24


def path(values: Sequence[float | None]) -> str:
    """Return the ``d`` of an SVG path ``WIDTH`` by ``HEIGHT``; gaps in the values are gaps."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(known), max(known)
    scale = (HEIGHT - 2) / (high - low) if high > low else 0.0
    step = WIDTH / max(len(values) - 1, 1)
    pieces, drawing = [], False
    for at, value in enumerate(values):
        if value is None:
            drawing = False
            continue
        y = HEIGHT - 1 - (value - low) * scale
        pieces.append(f"{'L' if drawing else 'M'}{at * step:.1f} {y:.1f}")
        drawing = True
    return " ".join(pieces)
