"""How long Prometheus takes for every question of every board, when it holds a day of the demo.

The day is made from a live demo (``watchkeeper up --demo``; see ``benchmarks.demo_day``), at the
stack's own scrape interval. Each panel is asked as the console and as Grafana ask it, for one, six
and twenty-four hours: over the range where it is drawn over time, at its end otherwise. So are the
choices of the variables and the marks, which every board asks for too. One question at a time, the
best of three: what Prometheus needs, not what else the machine did.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import psutil

from benchmarks import demo_day
from benchmarks.figures import Results, json_option
from dashboards import grafana
from dashboards.annotations import ANNOTATIONS
from dashboards.boards import every_board
from dashboards.console import choices, ranges, window
from dashboards.console.choices import rate_window_seconds
from dashboards.console.ranges import SCRAPE_SECONDS, Span
from dashboards.expression import fill
from dashboards.live import everything
from dashboards.spec import Dashboard, HeatMap, StateTimeline, TimeSeries, Variable
from watchkeeper import addresses
from watchkeeper.prometheus import PrometheusClient

BAR_MS = 300.0
OVER_TIME = TimeSeries | HeatMap | StateTimeline

RANGES = {"1h": timedelta(hours=1), "6h": timedelta(hours=6), "24h": timedelta(hours=24)}

POINTS = {"console": window.POINTS, "grafana": grafana.POINTS}
"""Points of a line."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, by whom and for which range."""

    name: str
    asker: str
    range: str
    ask: Callable[[PrometheusClient], object]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question took at best, and what Prometheus spent on it on average."""

    question: Question
    wall_ms: float
    cpu_ms: float


@click.command()
@click.option("--demo", default=lambda: addresses.url_of("prometheus"), help="The live demo's.")
@click.option("--day", type=click.Path(path_type=Path), help="Keep the day here, or use that one.")
@click.option("--quick", is_flag=True, help="A sample every 15 s, and each question once.")
@json_option
def main(*, demo: str, day: Path | None, quick: bool, json_path: Path | None) -> None:
    """Make the day, ask everything and print a table; exit 1 when one takes longer than the bar."""
    with TemporaryDirectory() as folder:
        data = (day or Path(folder)) / "data"
        if not demo_day.ends_at(data):
            live = PrometheusClient(demo, timeout_seconds=60)
            demo_day.build(data, live, 15 if quick else round(SCRAPE_SECONDS))
        end = datetime.fromtimestamp(demo_day.ends_at(data), UTC) - timedelta(seconds=1)
        with demo_day.serving(data) as (client, server):
            series = client.query(f"count({demo_day.ALL})", at=end)[0].value
            asked = [took(client, server, one, 1 if quick else 3) for one in questions(end)]
    results = Results("panel queries on a day of the demo")
    results.plain("series", [series])
    tell(results, asked)
    results.write(json_path)
    sys.exit(0 if results.met else 1)


def tell(results: Results, asked: list[Asked]) -> None:
    """Print the figures, and by name what took longer than the bar, or the five slowest."""
    results.plain("questions", [len(asked)])
    for name, durations in (
        ("query", [one.wall_ms for one in asked]),
        ("query_cpu", [one.cpu_ms for one in asked]),
    ):
        results.plain(f"{name}_p50_ms", [float(np.percentile(durations, 50))])
        results.plain(f"{name}_p95_ms", [float(np.percentile(durations, 95))])
        results.at_most(f"{name}_max_ms", [max(durations)], BAR_MS)
    results.show()
    slowest = sorted(asked, key=lambda one: -one.wall_ms)
    for one in [one for one in slowest if one.wall_ms > BAR_MS] or slowest[:5]:
        question = one.question
        print(
            f"{one.wall_ms:7.1f} ms, {one.cpu_ms:7.1f} ms of CPU"
            f"  {question.range:>3}  {question.asker:7}  {question.name}"
        )


def questions(end: datetime) -> Iterator[Question]:
    """Yield everything the boards ask up to ``end``, everything chosen."""
    for asker, points in POINTS.items():
        for word, length in RANGES.items():
            span = Span.between(end - length, end, points=points)
            for name, ask in (*_marks(span), *_every_board(span, word, end)):
                yield Question(name, asker, word, ask)


Asks = Iterator[tuple[str, Callable[[PrometheusClient], object]]]


def _marks(span: Span) -> Asks:
    for annotation in ANNOTATIONS:
        yield f"marks: {annotation.title}", _over(annotation.expression, span)


def _every_board(span: Span, word: str, end: datetime) -> Asks:
    for board in every_board():
        rate_window = f"{rate_window_seconds(span.step_seconds):.0f}s"
        filling = everything(board.variables, window=rate_window, span=word)
        yield from _choices(board, filling, span)
        for panel in board.panels():
            for query in panel.queries:
                expression = fill(query.expression, filling)
                is_over_time = isinstance(panel, OVER_TIME)
                ask = _over(expression, span) if is_over_time else _at(expression, end)
                yield f"{board.title} / {panel.title}", ask


def _choices(board: Dashboard, filling: Mapping[str, str], span: Span) -> Asks:
    for variable in board.variables:
        yield f"{board.title} / choice of {variable.title}", _offered(variable, filling, span)


def _offered(
    variable: Variable, filling: Mapping[str, str], span: Span
) -> Callable[[PrometheusClient], object]:
    return lambda client: choices.offered(client, variable, filling, span)


def _over(expression: str, span: Span) -> Callable[[PrometheusClient], object]:
    return lambda client: ranges.read(client, expression, span)


def _at(expression: str, end: datetime) -> Callable[[PrometheusClient], object]:
    return lambda client: client.query(expression, at=end)


def took(client: PrometheusClient, server: psutil.Process, question: Question, tries: int) -> Asked:
    """Ask and measure; the server's CPU time is counted in hundredths of a second."""
    durations, before = [], _cpu_seconds(server)
    for _ in range(tries):
        began = time.perf_counter()
        question.ask(client)
        durations.append((time.perf_counter() - began) * 1000)
    spent = _cpu_seconds(server) - before
    return Asked(question, min(durations), spent * 1000 / tries)


def _cpu_seconds(server: psutil.Process) -> float:
    times = server.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
