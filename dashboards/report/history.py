"""The incidents of a period: what they were about, what was done, and what ended them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards.console import incidents
from dashboards.console.incidents import Alert, Incident, Moment
from dashboards.report.period import Period
from dashboards.report.unusual import Unusual
from watchkeeper.peers import Peer

LIMIT = 500
_ENDED = ("action-completed", "action-failed", "action-unknown")
_NOT_NAMING = frozenset({"alertname", "severity", "service", "query", "__name__"})


@dataclass(frozen=True, slots=True)
class Chapter:
    """One incident as a report tells it.

    Attributes:
        culprits: the series its alerts are about, the most unusual first.
        actions: what was done, in the words of its story.
        fixed_by: what ended it as far as anybody knows; empty when nothing was verified.
        told_after_seconds: from its start to the first message, None when nobody was told.
    """

    id: str
    title: str
    service: str
    severity: str
    started_at: datetime
    resolved_at: datetime | None
    culprits: tuple[str, ...]
    actions: tuple[str, ...]
    fixed_by: str
    told_after_seconds: float | None
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        """How long it lasted; None while it is open."""
        if self.resolved_at is None:
            return None
        return (self.resolved_at - self.started_at).total_seconds()


def read(alerting: Peer, period: Period) -> list[Incident]:
    """Return the incidents that touch the period, oldest first; raise UpstreamError as peers do."""
    found = [
        one
        for status in ("open", "resolved")
        for one in incidents.listed(alerting, status=status, limit=LIMIT)
        if period.overlaps(one.started_at, one.resolved_at)
    ]
    return sorted(found, key=lambda incident: incident.started_at)


def tell(incident: Incident, unusual: Sequence[Unusual]) -> Chapter:
    """Return an incident as a report tells it."""
    told = next((m for m in incident.timeline if m.kind == "notified"), None)
    after = (told.at - incident.started_at).total_seconds() if told else None
    return Chapter(
        id=incident.id,
        title=incident.title,
        service=incident.service,
        severity=incident.severity,
        started_at=incident.started_at,
        resolved_at=incident.resolved_at,
        culprits=culprits_of(incident.alerts, unusual),
        actions=tuple(m.text for m in incident.timeline if m.kind in _ENDED),
        fixed_by=_fixed_by(incident.timeline),
        told_after_seconds=after,
        notes=tuple(m.text for m in incident.timeline if m.kind == "noted"),
    )


def culprits_of(alerts: Sequence[Alert], unusual: Sequence[Unusual]) -> tuple[str, ...]:
    """Return the series alerts are about; among them the most unusual come first."""
    scores = {(one.query, one.series): one.highest_score for one in unusual}
    named = {_series_of(alert): _score_of(alert, scores) for alert in alerts}
    return tuple(sorted(named, key=lambda name: (-named[name], name)))


def _series_of(alert: Alert) -> str:
    about = {k: v for k, v in sorted(alert.labels.items()) if k not in _NOT_NAMING}
    subject = alert.labels.get("query") or alert.name
    return f"{subject} {', '.join(f'{k}={v}' for k, v in about.items())}".strip()


def _score_of(alert: Alert, scores: dict[tuple[str, str], float]) -> float:
    """Return the highest score of the series whose labels the alert carries."""
    query = alert.labels.get("query")
    return max(
        (
            score
            for (of, text), score in scores.items()
            if of == query and all(part in text for part in _parts(alert))
        ),
        default=0.0,
    )


def _parts(alert: Alert) -> list[str]:
    return [f'{k}="{v}"' for k, v in alert.labels.items() if k not in _NOT_NAMING]


def _fixed_by(timeline: Sequence[Moment]) -> str:
    """Return the last action before the first verification."""
    verified = next((at for at, m in enumerate(timeline) if m.kind == "verified"), None)
    if verified is None:
        return ""
    done = [_named(m) for m in timeline[:verified] if m.kind == "action-completed"]
    return done[-1] if done else ""


def _named(moment: Moment) -> str:
    """Return what was done without how it went then, or all that is told of it."""
    known = moment.detail if isinstance(moment.detail, dict) else {}
    action, target = known.get("action"), known.get("target")
    return f"{action} on {target}" if action and target else moment.text
