"""Alerting rules as Prometheus has them loaded, and the series behind an alert."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from dashboards.console.answers import Answer, field, read
from dashboards.console.chart import Chart, Line
from dashboards.console.comparison import split
from dashboards.console.incidents import Alert, Incident
from dashboards.spec import Level, Threshold
from watchkeeper.prometheus import PrometheusClient, Series

BEFORE = timedelta(minutes=15)
AFTER = timedelta(minutes=5)
"""What is drawn around an incident: enough to see what was normal, and that it came back."""

POINTS = 240
LINES = 12
"""A chart with more lines than this is read by nobody."""


class Rule(Answer):
    """One alerting rule."""

    name: str
    query: str = ""
    type: str = ""


class Group(Answer):
    """Rules evaluated together."""

    name: str = ""
    rules: tuple[Rule, ...] = ()


def alerting_rules(client: PrometheusClient) -> list[Rule]:
    """Return every alerting rule that is loaded."""
    data = client.get("/api/v1/rules", {"type": "alert"})
    groups = read(list[Group], field(data, "groups", part="prometheus"), part="prometheus")
    return [rule for group in groups for rule in group.rules]


def chart_of(
    client: PrometheusClient, alert: Alert, incident: Incident, *, now: datetime
) -> Chart | None:
    """Return what the alert's rule measured around the incident; None for a rule we do not know."""
    rule = next((rule for rule in alerting_rules(client) if rule.name == alert.name), None)
    if rule is None:
        return None
    sides = split(rule.query)
    start = incident.started_at - BEFORE
    end = min(incident.resolved_at + AFTER, now) if incident.resolved_at else now
    step_seconds = max((end - start).total_seconds() / POINTS, 1.0)
    found = client.query_range(sides.measured, start=start, end=end, step_seconds=step_seconds)
    about = [one for one in found if _is_about(one, alert)] or found
    thresholds = () if sides.threshold is None else (Threshold(sides.threshold, Level.CRITICAL),)
    return from_ranges(about[:LINES], thresholds=thresholds)


def _is_about(series: Series, alert: Alert) -> bool:
    return all(
        alert.labels.get(name) == value
        for name, value in series.labels.items()
        if name != "__name__"
    )


def from_ranges(series: Sequence[Series], *, thresholds: tuple[Threshold, ...] = ()) -> Chart:
    """Return series of a range query over their common times, with gaps where one is missing."""
    timestamps = sorted({at for one in series for at in one.timestamps})
    lines = []
    for one in series:
        values = dict(zip(one.timestamps, one.values, strict=True))
        lines.append(Line(_label(one), [values.get(at) for at in timestamps]))
    return Chart(timestamps, tuple(lines), thresholds=thresholds)


def _label(series: Series) -> str:
    pairs = [f"{k}={v}" for k, v in sorted(series.labels.items()) if k != "__name__"]
    return ", ".join(pairs) or series.labels.get("__name__", "value")
