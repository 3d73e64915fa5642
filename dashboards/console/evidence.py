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
    "backtest": "How often",
}
"""What an anomaly alert says beyond its summary, by the annotation, in the order it is told."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An alert, and the series it is about where the anomaly service watches one."""

    alert: Alert
    fingerprint: str
    series: Series | None

    @property
    def explanations(self) -> dict[str, str]:
        """What the detectors say of it, by a title in words."""
        said = self.alert.annotations
        return {title: said[name] for name, title in EXPLANATIONS.items() if said.get(name)}


def evidence_of(incident: Incident, series: Sequence[Series]) -> list[Evidence]:
    """Return the evidence for an incident's alerts: firing ones first, those with a band before."""
    pieces = [Evidence(one, one.fingerprint, _series_of(one, series)) for one in incident.alerts]
    ranked = sorted(pieces, key=lambda one: (one.alert.status != "firing", one.series is None))
    return ranked[:CHARTS]


def _series_of(alert: Alert, series: Sequence[Series]) -> Series | None:
    """Return the watched series an anomaly alert is about."""
    query = alert.labels.get("query")
    if alert.name != "Anomaly" or query is None:
        return None
    candidates = [one for one in series if one.query == query]
    matching = [
        one
        for one in candidates
        if all(alert.labels.get(k) == v for k, v in one.labels.items() if k != "__name__")
    ]
    return matching[0] if matching else None
