"""Any PromQL expression looked at: its lines over time, its values now, and a band on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from urllib.parse import urlencode

from dashboards.console import band, choices, ranges
from dashboards.console.anomalies import Query
from dashboards.console.chart import Chart, Line
from dashboards.console.ranges import Span
from dashboards.console.units import measured_in
from dashboards.console.window import Window, window_of
from dashboards.expression import fill, metric_names
from dashboards.spec import Role, Unit
from watchkeeper.catalogue import Kind, every_metric
from watchkeeper.prometheus import PrometheusClient, is_number

EXPRESSION_LETTERS = 4000
LINES = 20
ROWS = 100


@dataclass(frozen=True, slots=True)
class Exploration:
    """What somebody looks at; all of it stands in the address."""

    expression: str
    window: Window
    wants_band: bool

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> Exploration:
        """Return what an address asks for."""
        return cls(
            arguments.get("query", "").strip()[:EXPRESSION_LETTERS],
            window_of(arguments),
            wants_band=arguments.get("band") == "1",
        )

    def filled(self, span: Span) -> str:
        """Return the expression with Grafana's window variables filled, as on a dashboard."""
        window = choices.rate_window_seconds(span.step_seconds)
        known = {"__rate_interval": f"{window:.0f}s", "__range": self.window.range}
        present = {name: value for name, value in known.items() if f"${name}" in self.expression}
        return fill(self.expression, present) if present else self.expression

    @property
    def unit(self) -> Unit:
        """The unit of its values, where the catalogue makes that clear."""
        return measured_in(self.expression)


def chart_of(client: PrometheusClient, asked: Exploration, *, now: datetime) -> Chart:
    """Return the expression's lines; with a band, only its first line, in its band."""
    span = asked.window.span(now)
    found = ranges.read(client, asked.filled(span), span)
    lines = [Line(ranges.words_for(one.labels), span.align(one)) for one in found[:LINES]]
    if asked.wants_band and lines:
        lines = _with_band(lines[0])
    return Chart(span.timestamps(), tuple(lines), asked.unit)


def _with_band(line: Line) -> list[Line]:
    drawn = band.around(line.values)
    return [
        Line("lower", drawn.lower, Role.LOWER),
        Line("upper", drawn.upper, Role.UPPER),
        Line("expected", drawn.expected, Role.EXPECTED),
        line,
        Line("score", drawn.score, Role.SCORE),
    ]


def values_now(client: PrometheusClient, asked: Exploration, *, now: datetime) -> list[Value]:
    """Return the expression's values now, largest first."""
    found = client.query(asked.filled(asked.window.span(now)), at=asked.window.until)
    values = [Value(ranges.words_for(one.labels), one.value) for one in found]
    numbers = sorted((v for v in values if is_number(v.number)), key=lambda v: -v.number)
    return [*numbers, *(v for v in values if not is_number(v.number))][:ROWS]


@dataclass(frozen=True, slots=True)
class Value:
    """One series now."""

    series: str
    number: float


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue says of one metric, and a sensible way to look at it."""

    name: str
    help: str
    address: str


@cache
def catalogue() -> tuple[Known, ...]:
    """Return every metric with the page that begins with it."""
    return tuple(
        Known(metric.name, metric.help, _address(metric.name, metric.kind))
        for metric in every_metric().values()
    )


def _address(name: str, kind: Kind) -> str:
    return f"/explore?{urlencode({'query': _start(name, kind)})}"


def _start(name: str, kind: Kind) -> str:
    if kind is Kind.COUNTER:
        return f"rate({name}[$__rate_interval])"
    if kind is Kind.HISTOGRAM:
        return f"histogram_quantile(0.95, sum by (le) (rate({name}_bucket[$__rate_interval])))"
    return name


def watched_as(expression: str, queries: Sequence[Query]) -> list[Query]:
    """Return the anomaly queries that watch a metric of ``expression``."""
    names = metric_names(expression)
    return [query for query in queries if names & metric_names(query.expression)]
