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
from rich.console import Console
from rich.table import Table

from agent.configured import read_recipes
from agent.family import limit_series
from agent.recipe import Recipe
from agent.sheet import Demand, Sheet
from agent.text import Renderer, TextFormat
from benchmarks.agent import Servers, servers
from benchmarks.figures import Results
from benchmarks.scraped import pause
from watchkeeper.errors import WatchkeeperError

CONFIG = """\
slow_interval: 100ms
discover: false
postgres: [{{port: {postgres}, database: taskboard, user: postgres}}]
redis: [{{port: {valkey}}}]
celery: [{{broker: {{port: {valkey}}}, queues: [celery]}}]
rq: [{{broker: {{port: {valkey}}}}}]
dramatiq: [{{broker: {{port: {valkey}}}}}]
"""

BETWEEN_SECONDS = 0.1
"""Long enough for the processor's caches to hold other things, as they do in life."""


AS_PROMETHEUS_ASKS = Demand()
AS_PROMETHEUS_ASKS.note(TextFormat.OPENMETRICS, is_compressed=True)


@dataclass(frozen=True, slots=True)
class Cost:
    """What runs of one collector took, each median over some of them."""

    name: str
    series: int
    cpu_ms: float
    duration_ms: float


def cost_of(recipe: Recipe, runs: int) -> Cost:
    """Run a collector and write what it brings, as the agent does."""
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
    return Cost(recipe.kind, series, statistics.median(cpu[1:]), statistics.median(durations[1:]))


def costs(ports: Servers, directory: Path, runs: int) -> Iterator[Cost]:
    """Yield the cost of every collector that has something to watch here."""
    config = directory / "agent.yml"
    config.write_text(CONFIG.format(postgres=ports.postgres, valkey=ports.valkey))
    for recipe in read_recipes(config):
        try:
            cost = cost_of(recipe, runs)
        except WatchkeeperError as error:
            click.echo(f"{recipe.name} is left out: {error}", err=True)
            continue
        if cost.series:
            yield cost


DOCUMENT = """\
# What each collector costs

One run, with writing and compressing what it brings: the agent's CPU and the time until it is done,
medians of {runs} runs. Written by `python -m benchmarks.agent_costs --document docs/agent-costs.md`
on {system}, Python {python}, {cpus} CPUs that other work shared. The servers were idle and on the
same machine; `postgres` was asked everything in each run, which otherwise it is every 15 s.

| collector | series | CPU ms | duration ms |
|---|---:|---:|---:|
{rows}
"""


def markdown(found: Sequence[Cost], runs: int) -> str:
    """Return the page of the documentation."""
    rows = [
        f"| `{cost.name}` | {cost.series} | {cost.cpu_ms:.2f} | {cost.duration_ms:.2f} |"
        for cost in found
    ]
    return DOCUMENT.format(
        runs=runs,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        cpus=os.cpu_count(),
        rows="\n".join(rows),
    )


@click.command()
@click.option("--quick", is_flag=True, help="A few runs of each.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures.")
@click.option("--document", type=click.Path(path_type=Path), help="Write the page of docs/.")
def main(*, quick: bool, json_path: Path | None, document: Path | None) -> None:
    """Measure what each collector costs."""
    runs = 5 if quick else 25
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)
        with servers(directory) as ports:
            found = list(costs(ports, directory, runs))
    table = Table("collector", "series", "CPU ms", "duration ms")
    results = Results("agent costs")
    for cost in found:
        table.add_row(cost.name, str(cost.series), f"{cost.cpu_ms:.2f}", f"{cost.duration_ms:.2f}")
        results.plain(f"{cost.name.replace('-', '_')}_cpu_ms", [cost.cpu_ms])
        results.plain(f"{cost.name.replace('-', '_')}_duration_ms", [cost.duration_ms])
    Console().print(table)
    results.write(json_path)
    if document is not None:
        document.write_text(markdown(found, runs), encoding="utf-8")
    sys.exit(0)


if __name__ == "__main__":
    main()
