"""When something runs out, if it goes on as it did."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from dashboards.boards.host import SPACE_USED
from dashboards.console import ranges
from dashboards.expression import fill
from dashboards.promql import series
from dashboards.report.period import Period
from dashboards.scope import ANYWHERE
from watchkeeper.catalogue import host, postgres, process
from watchkeeper.prometheus import PrometheusClient

HORIZON_SECONDS = 90 * 86_400.0
"""Nothing is said of what is further away than this: a day's slope does not carry that far."""

FEWEST_POINTS = 24
MOST_POINTS = 96
"""Points the slope is taken from; the pairs grow with their square."""

CONSISTENT_RATIO = 0.8
"""Share of pairs of points that must rise for the rise to count: noise has one half."""


@dataclass(frozen=True, slots=True)
class Resource:
    """Something with an end: PromQL for the share of it in use, 0 to 1, and what names a series."""

    name: str
    expression: str
    label: str


RESOURCES = (
    Resource("Disk space", fill(SPACE_USED, ANYWHERE), "mountpoint"),
    Resource(
        "Memory of the machine",
        f"1 - {series(host.MEMORY_AVAILABLE)} / {series(host.MEMORY_TOTAL)}",
        "instance",
    ),
    Resource(
        "Memory of a process",
        f"max by (job) ({series(process.RESIDENT)} / ({series(process.MEMORY_LIMIT)} > 0))",
        "job",
    ),
    Resource(
        "Database connections",
        f"sum by (server) ({series(postgres.NUMBACKENDS)})"
        f" / on (server) {series(postgres.MAX_CONNECTIONS)}",
        "server",
    ),
)
"""Adding one is an entry here."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """One resource that fills up: how full it is, its pace, and when it is full.

    ``per_day_ratio`` is the share of the whole it grows in a day.
    """

    resource: str
    series: str
    used_ratio: float
    per_day_ratio: float
    full_in_seconds: float


def read(client: PrometheusClient, resource: Resource, period: Period) -> list[Forecast]:
    """Return what will be full within the horizon, soonest first."""
    found = []
    for one in ranges.read(client, resource.expression, period.span):
        slope = slope_of(one.timestamps, one.values)
        if slope is None or not one.values:
            continue
        used = one.values[-1]
        left = (1.0 - used) / slope
        if 0 <= left <= HORIZON_SECONDS:
            name = one.labels.get(resource.label, "")
            found.append(Forecast(resource.name, name, used, slope * 86_400, left))
    return sorted(found, key=lambda forecast: forecast.full_in_seconds)


def slope_of(timestamps: Sequence[float], values: Sequence[float]) -> float | None:
    """Return the growth a second, or None where there is none to rely on.

    The median of the slopes between all pairs of points (Theil and Sen), which a few outliers do
    not move; and only where most pairs agree that it rises (Kendall).
    """
    pairs = [(at, v) for at, v in zip(timestamps, values, strict=True) if math.isfinite(v)]
    if len(pairs) < FEWEST_POINTS:
        return None
    points = pairs[:: max(1, len(pairs) // MOST_POINTS)]
    slopes = [
        (value - earlier) / (at - before)
        for position, (at, value) in enumerate(points)
        for before, earlier in points[:position]
    ]
    rising = sum(slope > 0 for slope in slopes) / len(slopes)
    return median(slopes) if rising >= CONSISTENT_RATIO else None
