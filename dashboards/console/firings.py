"""When rules fired and queries found something, read from the history that Prometheus keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from dashboards.console import ranges
from dashboards.console.ranges import SCRAPE_SECONDS, Span
from dashboards.promql import series
from watchkeeper.catalogue.anomaly import ANOMALOUS_SERIES
from watchkeeper.catalogue.prometheus import ALERTS
from watchkeeper.prometheus import PrometheusClient, Series

LOOK_BACK = timedelta(days=7)
STEP = timedelta(minutes=5)
"""A week in 2,016 parts. Each is looked at as a whole, so nothing is too short to be seen; two
firings less than this apart are one."""

WINDOW = f"[{STEP.total_seconds():.0f}s]"
FIRING = series(ALERTS, 'alertstate="firing"')
BY_RULE = f"max by (alertname) (count_over_time({FIRING}{WINDOW}))"
BY_QUERY = f"max by (query) (max_over_time({ANOMALOUS_SERIES}{WINDOW})) > 0"


@dataclass(frozen=True, slots=True)
class Firings:
    """How often something began, for how long it went on in all, and when last.

    ``last_at`` is the end of the five minutes in which it was seen last, or now.
    """

    times: int
    total_seconds: float
    last_at: datetime


def of_rules(client: PrometheusClient, *, now: datetime) -> dict[str, Firings]:
    """Return last week's firings by the name of the rule; those that never fired are left out."""
    return {
        one.labels.get("alertname", "?"): _firings(one, sum(one.values) * SCRAPE_SECONDS, now)
        for one in _last_week(client, BY_RULE, now)
    }


def of_queries(client: PrometheusClient, *, now: datetime) -> dict[str, Firings]:
    """Return when series of an anomaly query scored above 1 last week, by the query's name."""
    return {
        one.labels.get("query", "?"): _firings(one, len(one.values) * STEP.total_seconds(), now)
        for one in _last_week(client, BY_QUERY, now)
    }


def _last_week(client: PrometheusClient, expression: str, now: datetime) -> list[Series]:
    # The five minutes that are under way count, too.
    span = Span.between(now - LOOK_BACK, now + STEP, points=(LOOK_BACK + STEP) // STEP)
    return ranges.read(client, expression, span)


def _firings(found: Series, total_seconds: float, now: datetime) -> Firings:
    gap_seconds = 1.5 * STEP.total_seconds()
    gaps = pairwise(found.timestamps)
    times = 1 + sum(after - before > gap_seconds for before, after in gaps)
    last_at = min(datetime.fromtimestamp(found.timestamps[-1], UTC), now)
    return Firings(times, total_seconds, last_at)
