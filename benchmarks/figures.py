"""Named figures: collected by a benchmark, printed for people, written flat for programs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(slots=True)
class Figure:
    """One measured quantity.

    Attributes:
        name: the key in the JSON object; carries the unit.
        values: one a run; the median is what is quoted.
        bar: what was asked for, in words; empty when nothing was.
        met: whether every run met the bar; None without one.
    """

    name: str
    values: Sequence[float]
    bar: str = ""
    met: bool | None = None

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.values)

    @property
    def spread(self) -> str:
        """Smallest and largest, when there was more than one run."""
        if len(self.values) < 2:
            return ""
        return f"{min(self.values):.4g} to {max(self.values):.4g}"


@dataclass(slots=True)
class Results:
    """The figures of one benchmark, in the order they were measured."""

    title: str
    figures: list[Figure] = field(default_factory=list)

    def at_most(self, name: str, values: Sequence[float], bar: float) -> None:
        """Add a figure that should not exceed ``bar`` in any run."""
        met = bool(values) and max(values) <= bar
        self.figures.append(Figure(name, values or [float("nan")], f"<= {bar:g}", met))

    def at_least(self, name: str, values: Sequence[float], bar: float) -> None:
        """Add a figure that should reach ``bar`` in every run."""
        met = bool(values) and min(values) >= bar
        self.figures.append(Figure(name, values or [float("nan")], f">= {bar:g}", met))

    def exactly(self, name: str, values: Sequence[float], bar: float) -> None:
        """Add a figure that should be ``bar`` in every run."""
        met = bool(values) and all(value == bar for value in values)
        self.figures.append(Figure(name, values or [float("nan")], f"{bar:g}", met))

    def plain(self, name: str, values: Sequence[float]) -> None:
        """Add a figure nothing was asked of."""
        self.figures.append(Figure(name, values))

    @property
    def met(self) -> bool:
        """Whether every figure with a bar met it."""
        return all(figure.met is not False for figure in self.figures)

    def show(self) -> None:
        """Print the table."""
        table = Table(title=self.title)
        for heading in ("figure", "median", "spread", "runs", "bar", "met"):
            table.add_column(heading)
        for figure in self.figures:
            met = "" if figure.met is None else ("yes" if figure.met else "NO")
            table.add_row(
                figure.name,
                f"{figure.median:.4g}",
                figure.spread,
                str(len(figure.values)),
                figure.bar,
                met,
            )
        Console().print(table)

    def write(self, path: Path | None) -> None:
        """Write a flat object of the medians to ``path``, if one was asked for."""
        if path is not None:
            flat = {figure.name: figure.median for figure in self.figures}
            path.write_text(json.dumps(flat, indent=2) + "\n", encoding="utf-8")
