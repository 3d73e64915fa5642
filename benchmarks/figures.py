"""Named figures: collected by a benchmark, printed for people, written flat for programs."""

from __future__ import annotations

import json
import statistics
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

STDOUT = Path("-")
HELP = "Write the figures as one flat object; without FILE to standard output."

Command = TypeVar("Command", bound=Callable[..., Any])


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
        """Print the table to standard error, for the figures alone go to standard output."""
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
        Console(stderr=True).print(table)

    def write(self, path: Path | None) -> None:
        """Write a flat object of the medians to ``path``, if one was asked for."""
        if path is None:
            return
        flat = json.dumps({figure.name: figure.median for figure in self.figures}, indent=2) + "\n"
        if path == STDOUT:
            sys.stdout.write(flat)
        else:
            path.write_text(flat, encoding="utf-8")


def json_option(function: Command) -> Command:
    """Add ``--json [FILE]`` to a click command, which takes it as ``json_path``."""
    return click.option(
        "--json", "json_path", is_flag=False, flag_value=str(STDOUT), metavar="[FILE]",
        type=click.Path(path_type=Path, allow_dash=True), help=HELP,
    )(function)  # fmt: skip


def add_json_argument(parser: ArgumentParser) -> None:
    """Add ``--json [FILE]`` to a parser, which gives it as ``json``."""
    parser.add_argument("--json", nargs="?", const=STDOUT, type=Path, metavar="FILE", help=HELP)
