"""The chart that shows why an alert was raised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.console.anomalies import Series
from dashboards.console.incidents import Alert, Incident

CHARTS = 6
"""Charts an incident shows at most; further alerts are listed without one."""


EXPLANATIONS = {
    "contributors": "What makes it up",
    "moved_along": "What moved along",
    "last_change": "Changed last",
    "similar": "Most like",
    "backtest": "How often",
}
"""What an anomaly alert says beyond its summary, by the annotation, in the order it is told."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An alert and where its chart's data is; ``series_id`` when the anomaly service has more."""

    alert: Alert
    fingerprint: str
    series_id: str | None

    @property
    def explanations(self) -> dict[str, str]:
        """What the detectors say of it, by a title in words."""
        said = self.alert.annotations
        return {title: said[name] for name, title in EXPLANATIONS.items() if said.get(name)}


def evidence_of(incident: Incident, series: Sequence[Series]) -> list[Evidence]:
    """Return the evidence for an incident's alerts, firing ones first."""
    alerts = sorted(incident.alerts, key=lambda alert: alert.status != "firing")
    return [
        Evidence(alert, alert.fingerprint, _series_of(alert, series)) for alert in alerts[:CHARTS]
    ]


def _series_of(alert: Alert, series: Sequence[Series]) -> str | None:
    """Return the id of the watched series an anomaly alert is about."""
    query = alert.labels.get("query")
    if alert.name != "Anomaly" or query is None:
        return None
    candidates = [one for one in series if one.query == query]
    matching = [
        one
        for one in candidates
        if all(alert.labels.get(k) == v for k, v in one.labels.items() if k != "__name__")
    ]
    return matching[0].id if matching else None
