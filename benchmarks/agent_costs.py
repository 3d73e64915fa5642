"""What each collector costs a run: CPU of the agent, time until it is done, series."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import psutil
from rich.console import Console
from rich.table import Table

from agent.collectors import COLLECTORS
from agent.family import limit_series
from agent.sheet import Demand, Sheet
from agent.text import Renderer, TextFormat
from benchmarks.figures import Results, json_option
from benchmarks.scraped import pause
from benchmarks.watched_places import UNITS, Place, places
from watchkeeper.errors import WatchkeeperError

BETWEEN_SECONDS = 0.1
"""Long enough for the processor's caches to hold other things, as they do in life."""


AS_PROMETHEUS_ASKS = Demand()
AS_PROMETHEUS_ASKS.note(TextFormat.OPENMETRICS, is_compressed=True)


@dataclass(frozen=True, slots=True)
class Cost:
    """What runs of one collector took, each median over some of them, and what it watched."""

    name: str
    where: str
    series: int
    cpu_ms: float
    duration_ms: float


def cost_of(place: Place, runs: int) -> Cost:
    """Run a collector and write what it brings, as the agent does."""
    recipe = place.recipe
    collector, renderer = recipe.make(), Renderer()
    cpu, durations, series = [], [], 0
    try:
        for _ in range(runs + 1):
            pause(BETWEEN_SECONDS)
            before_cpu, before = time.process_time(), time.perf_counter()
            limited = limit_series(collector.collect(), recipe.max_series)
            Sheet(renderer.render(limited.families)).prepare(AS_PROMETHEUS_ASKS)
            durations.append((time.perf_counter() - before) * 1e3)
            cpu.append((time.process_time() - before_cpu) * 1e3)
            series = limited.series
    finally:
        collector.close()
    # The first run imports, connects and learns.
    medians = statistics.median(cpu[1:]), statistics.median(durations[1:])
    return Cost(recipe.kind, place.where, series, *medians)


def costs(found: Sequence[Place], runs: int) -> Iterator[Cost]:
    """Yield the cost of every collector, each where it first has something to tell."""
    measured: set[str] = set()
    for place in found:
        kind = place.recipe.kind
        if kind in measured:
            continue
        try:
            cost = cost_of(place, runs)
        except WatchkeeperError as error:
            click.echo(f"{kind} brings nothing on {place.where}: {error}", err=True)
            continue
        if cost.series:
            measured.add(kind)
            yield cost


DOCUMENT = """\
# What each collector costs

One run, with writing and compressing what it brings: the agent's CPU and the time until it is done,
medians of {runs} runs. Written by `python -m benchmarks.agent_costs --document docs/agent-costs.md`
on {system}, Python {python}, {cpus} CPUs that other work shared,
{processes} processes. Run it on a machine of yours for what it costs there.

Servers were idle and on the same machine; `postgres` and `mysql` were asked everything in each run,
which otherwise they are every 15 s. Hardware that this machine lacks was read from the fixture tree
of the tests, a machine of two CPUs; in place of systemd a process with {units} units answered.

| collector | watched | series | CPU ms | duration ms |
|---|---|---:|---:|---:|
{rows}
"""


def markdown(found: Sequence[Cost], runs: int) -> str:
    """Return the page of the documentation."""
    rows = [
        f"| `{cost.name}` | {cost.where} | {cost.series} | {cost.cpu_ms:.2f} "
        f"| {cost.duration_ms:.2f} |"
        for cost in found
    ]
    return DOCUMENT.format(
        runs=runs,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        cpus=os.cpu_count(),
        processes=len(psutil.pids()),
        units=UNITS,
        rows="\n".join(rows),
    )


@click.command()
@click.option("--quick", is_flag=True, help="A few runs of each.")
@json_option
@click.option("--document", type=click.Path(path_type=Path), help="Write the page of docs/.")
def main(*, quick: bool, json_path: Path | None, document: Path | None) -> None:
    """Measure what each collector costs."""
    runs = 5 if quick else 25
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)
        with places(directory) as watched:
            by_kind = {cost.name: cost for cost in costs(watched, runs)}
    found = [by_kind[kind] for kind in COLLECTORS if kind in by_kind]
    table = Table("collector", "watched", "series", "CPU ms", "duration ms")
    results = Results("agent costs")
    for cost in found:
        figures = (str(cost.series), f"{cost.cpu_ms:.2f}", f"{cost.duration_ms:.2f}")
        table.add_row(cost.name, cost.where, *figures)
        results.plain(f"{cost.name.replace('-', '_')}_cpu_ms", [cost.cpu_ms])
        results.plain(f"{cost.name.replace('-', '_')}_duration_ms", [cost.duration_ms])
    Console().print(table)
    results.write(json_path)
    if document is not None:
        document.write_text(markdown(found, runs), encoding="utf-8")
    sys.exit(0)


if __name__ == "__main__":
    main()
