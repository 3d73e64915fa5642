"""Which series were unusual in a period, how far and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from dashboards.console import ranges
from dashboards.promql import series
from dashboards.report.period import Period
from watchkeeper.catalogue import anomaly
from watchkeeper.prometheus import PrometheusClient

SERIES = 20
"""Told of at most, those with the highest score."""

SCORES = f"max by (query, series) ({series(anomaly.SCORE)})"


@dataclass(frozen=True, slots=True)
class Unusual:
    """One series that scored above 1: when first, its highest score, and for how long in all."""

    query: str
    series: str
    first_at: datetime
    highest_score: float
    seconds: float


def read(client: PrometheusClient, period: Period) -> list[Unusual]:
    """Return the unusual series of the period, the highest score first."""
    span = period.span
    found = []
    for one in ranges.read(client, SCORES, span):
        above = [(at, v) for at, v in zip(one.timestamps, one.values, strict=True) if v > 1]
        if above:
            found.append(
                Unusual(
                    one.labels.get("query", ""),
                    one.labels.get("series", ""),
                    datetime.fromtimestamp(above[0][0], UTC),
                    max(value for _, value in above),
                    len(above) * span.step_seconds,
                )
            )
    return sorted(found, key=lambda unusual: -unusual.highest_score)[:SERIES]
