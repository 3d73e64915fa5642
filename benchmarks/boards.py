"""How long Prometheus takes for every question of every board, over a day.

Give it a Prometheus that holds the demo: ``--prometheus URL`` (the configured one by default).
Each panel is asked as the console asks it: over the time range where it is drawn over time, at the
end of it otherwise. ``history_hours`` says how much there was to read.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from benchmarks.figures import Results
from dashboards.boards import every_board
from dashboards.console import ranges
from dashboards.console.choices import POINTS, rate_window_seconds
from dashboards.console.ranges import Span
from dashboards.expression import fill
from dashboards.live import everything
from dashboards.spec import Dashboard, HeatMap, Panel, StateTimeline, TimeSeries
from watchkeeper import addresses
from watchkeeper.catalogue.prometheus import UP
from watchkeeper.prometheus import PrometheusClient

BAR_MS = 300.0
DAY = timedelta(days=1)
OVER_TIME = TimeSeries | HeatMap | StateTimeline


@click.command()
@click.option("--prometheus", default=lambda: addresses.url_of("prometheus"), help="Its base URL.")
@click.option("--quick", is_flag=True, help="Ask each question once instead of three times.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures.")
def main(*, prometheus: str, quick: bool, json_path: Path | None) -> None:
    """Ask every question and print a table; exit 1 when one takes longer than the bar."""
    client = PrometheusClient(prometheus, timeout_seconds=30.0)
    end = datetime.now(UTC)
    span = Span.between(end - DAY, end, points=POINTS)
    tries = 1 if quick else 3
    durations = [
        (min(asked(client, panel, expression, span, end) for _ in range(tries)), board, panel)
        for board in every_board()
        for panel, expression in questions(board, span)
    ]
    durations.sort(key=lambda one: -one[0])
    results = Results("boards")
    results.at_most("slowest_query_ms", [durations[0][0]], BAR_MS)
    results.plain("questions", [len(durations)])
    results.plain("history_hours", [history_hours(client, end)])
    results.show()
    for milliseconds, board, panel in durations[:5]:
        print(f"{milliseconds:7.1f} ms  {board.title} / {panel.title}")
    results.write(json_path)
    sys.exit(0 if results.met else 1)


def questions(board: Dashboard, span: Span) -> Iterator[tuple[Panel, str]]:
    """Yield each query of a board with everything chosen."""
    window = f"{rate_window_seconds(span.step_seconds):.0f}s"
    filling = everything(board.variables, window=window, span="24h")
    for panel in board.panels():
        for query in panel.queries:
            yield panel, fill(query.expression, filling)


def asked(
    client: PrometheusClient, panel: Panel, expression: str, span: Span, end: datetime
) -> float:
    """Return the milliseconds until the answer was there."""
    began = time.perf_counter()
    if isinstance(panel, OVER_TIME):
        ranges.read(client, expression, span)
    else:
        client.query(expression, at=end)
    return (time.perf_counter() - began) * 1000


def history_hours(client: PrometheusClient, end: datetime) -> float:
    """Return how far back there is anything."""
    [found] = client.query(f"max(count_over_time({UP}[1d:1m])) / 60", at=end)
    return found.value


if __name__ == "__main__":
    main()
