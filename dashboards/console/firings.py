"""When alert rules fired, read from the history Prometheus keeps of its own alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from dashboards.console import ranges
from dashboards.console.ranges import Span
from dashboards.promql import series
from watchkeeper.catalogue.prometheus import ALERTS
from watchkeeper.prometheus import PrometheusClient

LOOK_BACK = timedelta(days=7)
POINTS = 2016
"""Five minutes apart in a week: shorter alerts are seen only when they fall on a point."""

FIRING = series(ALERTS, 'alertstate="firing"')
BY_RULE = f"count by (alertname) ({FIRING})"


@dataclass(frozen=True, slots=True)
class Firings:
    """What one rule did: how often it began to fire, for how long in all, and when last."""

    times: int
    total_seconds: float
    last_at: datetime


def of_last_week(client: PrometheusClient, *, now: datetime) -> dict[str, Firings]:
    """Return the firings by the name of the rule; those that never fired are left out."""
    span = Span.between(now - LOOK_BACK, now, points=POINTS)
    return {
        one.labels.get("alertname", "?"): _firings(one.timestamps, span.step_seconds)
        for one in ranges.read(client, BY_RULE, span)
    }


def _firings(timestamps: list[float], step_seconds: float) -> Firings:
    gaps = pairwise(timestamps)
    times = 1 + sum(after - before > 1.5 * step_seconds for before, after in gaps)
    last = datetime.fromtimestamp(timestamps[-1], UTC)
    return Firings(times, len(timestamps) * step_seconds, last)
