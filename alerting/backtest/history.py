"""The alerts of the past, from Prometheus' own record of what fired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from alerting.alert import Alert
from watchkeeper.prometheus import PrometheusClient, Series

FIRING = 'ALERTS{alertstate="firing"}'
NOT_LABELS = frozenset({"__name__", "alertstate"})


@dataclass(frozen=True, slots=True)
class Happening:
    """An alert that began or ended."""

    at: datetime
    alert: Alert


def alerts(
    prometheus: PrometheusClient, *, start: datetime, end: datetime, step_seconds: float
) -> list[Alert]:
    """Return what fired between ``start`` and ``end``.

    Args:
        prometheus: asked for its ``ALERTS``; what nobody evaluated is not in it.
        start, end: both included.
        step_seconds: how finely is looked; what fired for less may be missed.

    Raises:
        UpstreamError: it cannot be asked.
    """
    found = prometheus.query_range(FIRING, start=start, end=end, step_seconds=step_seconds)
    return [alert for series in found for alert in episodes(series, step_seconds=step_seconds)]


def episodes(series: Series, *, step_seconds: float) -> list[Alert]:
    """Return one alert for each unbroken run of samples; it ends a step after its last."""
    labels = {name: text for name, text in series.labels.items() if name not in NOT_LABELS}
    runs: list[list[float]] = []
    for moment in series.timestamps:
        if runs and moment - runs[-1][-1] <= 1.5 * step_seconds:
            runs[-1].append(moment)
        else:
            runs.append([moment])
    return [Alert(labels, {}, _moment(run[0]), _moment(run[-1] + step_seconds), "") for run in runs]


def in_order(found: Sequence[Alert], end: datetime) -> list[Happening]:
    """Return the beginnings and the endings of alerts up to ``end``, oldest first."""
    begun = [Happening(alert.starts_at, alert) for alert in found]
    ended = [Happening(alert.ends_at, alert) for alert in found if alert.ends_at <= end]
    return sorted([*begun, *ended], key=lambda one: one.at)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
