"""Key metrics over a period: mean, p95, p99 and how they compare with the period before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dashboards import limits
from dashboards.boards.host import CPU_USED, MEMORY_USED
from dashboards.console import ranges
from dashboards.console.choices import rate_window_seconds
from dashboards.expression import fill
from dashboards.promql import mean, rate, series, share, total
from dashboards.report.period import Period
from dashboards.scope import ANYWHERE
from dashboards.spec import UNJUDGED, Level, Thresholds, Unit, rising
from watchkeeper.catalogue import Metric, http, postgres, tasks
from watchkeeper.prometheus import PrometheusClient

SERIES = 12
"""Series of one metric that a report tells of, those with the largest p95."""


@dataclass(frozen=True, slots=True)
class KeyMetric:
    """One thing worth a line in every report.

    Attributes:
        name: in words.
        expression: PromQL over time; may use ``$__rate_interval``.
        by: the label that names its series; empty for one series.
        histogram: where percentiles are exact; otherwise they are those of the values over time.
        thresholds: judges its p95.
        board: where more is to be seen.
    """

    name: str
    expression: str
    by: str
    unit: Unit
    board: str
    histogram: Metric | None = None
    thresholds: Thresholds = UNJUDGED


_REQUESTS = total(rate(http.REQUEST_DURATION.count), by="service")
_FAILED = total(rate(http.REQUEST_DURATION.count, 'http_response_status_code=~"5.."'), by="service")
_STATEMENT_SECONDS = total(rate(postgres.STATEMENT_SECONDS), by="server")
_STATEMENTS = total(rate(postgres.STATEMENT_CALLS), by="server")

KEY_METRICS = (
    KeyMetric(
        "Response time",
        mean(http.REQUEST_DURATION, by="service"),
        "service",
        Unit.SECONDS,
        "watchkeeper-http",
        http.REQUEST_DURATION,
        limits.RESPONSE_TIME,
    ),
    KeyMetric(
        "Error rate",
        share(_FAILED, _REQUESTS),
        "service",
        Unit.RATIO,
        "watchkeeper-http",
        thresholds=limits.ERRORS,
    ),
    KeyMetric("Throughput", _REQUESTS, "service", Unit.REQUESTS_PER_SECOND, "watchkeeper-http"),
    KeyMetric(
        "Query time",
        f"{_STATEMENT_SECONDS} / ({_STATEMENTS} > 0)",
        "server",
        Unit.SECONDS,
        "watchkeeper-database",
        thresholds=rising(notice=0.2, warning=0.5, critical=2),
    ),
    KeyMetric(
        "Queue wait",
        mean(tasks.WAIT, by="queue"),
        "queue",
        Unit.SECONDS,
        "watchkeeper-tasks",
        tasks.WAIT,
        rising(notice=1, warning=10, critical=60),
    ),
    KeyMetric(
        "Tasks waiting",
        f"max by (queue) ({series(tasks.QUEUE_DEPTH)})",
        "queue",
        Unit.COUNT,
        "watchkeeper-tasks",
        thresholds=rising(notice=20, warning=50, critical=500),
    ),
    KeyMetric(
        "CPU",
        fill(
            CPU_USED, {"environment": ".*", "instance": ".*", "__rate_interval": "$__rate_interval"}
        ),
        "instance",
        Unit.RATIO,
        "watchkeeper-host",
        thresholds=limits.CPU,
    ),
    KeyMetric(
        "Memory",
        f"max by (instance) ({fill(MEMORY_USED, ANYWHERE)})",
        "instance",
        Unit.RATIO,
        "watchkeeper-host",
        thresholds=limits.MEMORY,
    ),
)
"""In the order they are told. Adding one is an entry here."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One series of a key metric over the period; values in the metric's unit.

    ``trend_ratio`` is the change of the mean against the period before, 0.1 for a tenth more; None
    where there is nothing to compare with.
    """

    metric: str
    series: str
    unit: Unit
    board: str
    mean: float
    p95: float
    p99: float
    largest: float
    trend_ratio: float | None
    level: Level | None
    values: Sequence[float | None]


def read(client: PrometheusClient, metric: KeyMetric, period: Period) -> list[Measure]:
    """Return the metric's series over the period; raise UpstreamError as the client does."""
    now, before = (_values(client, metric, one) for one in (period, period.before()))
    exact = {ratio: _exact(client, metric, period, ratio) for ratio in (0.95, 0.99)}
    found = [
        _measure(metric, name, values, before.get(name), {r: e.get(name) for r, e in exact.items()})
        for name, values in now.items()
        if any(value is not None for value in values)
    ]
    return sorted(found, key=lambda measure: -measure.p95)[:SERIES]


def _values(
    client: PrometheusClient, metric: KeyMetric, period: Period
) -> dict[str, list[float | None]]:
    span = period.span
    window = max(rate_window_seconds(span.step_seconds), 60.0)
    expression = fill(metric.expression, {"__rate_interval": f"{window:.0f}s"})
    return {
        one.labels.get(metric.by, ""): [_number(value) for value in span.align(one)]
        for one in ranges.read(client, expression, span)
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _exact(
    client: PrometheusClient, metric: KeyMetric, period: Period, ratio: float
) -> dict[str, float]:
    """Return percentiles of all that a histogram observed in the period, by series."""
    if metric.histogram is None:
        return {}
    buckets = f"sum by ({metric.by}, le) (increase({metric.histogram.bucket}[{period.window}]))"
    found = client.query(f"histogram_quantile({ratio:g}, {buckets})", at=period.end)
    return {one.labels.get(metric.by, ""): one.value for one in found if math.isfinite(one.value)}


def _measure(
    metric: KeyMetric,
    name: str,
    values: list[float | None],
    before: list[float | None] | None,
    exact: dict[float, float | None],
) -> Measure:
    known = sorted(value for value in values if value is not None)
    average = math.fsum(known) / len(known)
    p95, p99 = (
        value if (value := exact.get(ratio)) is not None else percentile(known, ratio)
        for ratio in (0.95, 0.99)
    )
    return Measure(
        metric.name,
        name,
        metric.unit,
        metric.board,
        average,
        p95,
        p99,
        known[-1],
        _trend(average, before or []),
        metric.thresholds.judge(p95) if metric.thresholds.steps else None,
        values,
    )


def percentile(ordered: Sequence[float], ratio: float) -> float:
    """Return the ``ratio`` (0 to 1) percentile of ascending values, by linear interpolation."""
    position = ratio * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


FEWEST_BEFORE = 12
"""Points the period before must have to be compared with: an hour of a day."""


def _trend(average: float, before: Sequence[float | None]) -> float | None:
    known = [value for value in before if value is not None]
    if len(known) < FEWEST_BEFORE:
        return None
    past = math.fsum(known) / len(known)
    return (average - past) / abs(past) if abs(past) > 1e-12 else None
