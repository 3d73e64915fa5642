"""Incidents as alerting tells them, and the four steps each should go through."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from pydantic import AwareDatetime, Field

from dashboards.console.answers import Answer, field, read
from watchkeeper.peers import Peer

SEVERITIES = ("critical", "warning", "info")
"""Worst first."""


class Moment(Answer):
    """One entry of a timeline."""

    at: AwareDatetime
    kind: str
    text: str
    detail: Any = None


class Alert(Answer):
    """One alert of an incident."""

    fingerprint: str
    status: str = "firing"
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None

    @property
    def name(self) -> str:
        """The alert's name."""
        return self.labels.get("alertname", "alert")


class Precedent(Answer):
    """A past incident like this one, and what ended it."""

    id: str
    title: str
    started_at: AwareDatetime
    resolved_at: AwareDatetime | None = None
    similarity_ratio: float = 0.0
    fixed_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Incident(Answer):
    """One episode: from its first alert to the end of its last."""

    id: str
    status: str
    severity: str
    title: str
    service: str = ""
    started_at: AwareDatetime
    resolved_at: AwareDatetime | None = None
    timeline: tuple[Moment, ...] = ()
    alerts: tuple[Alert, ...] = ()
    acknowledged_at: AwareDatetime | None = None
    acknowledged_by: str | None = None
    owner: str | None = None
    not_a_problem_by: str | None = None
    similar: tuple[Precedent, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it is not over."""
        return self.status == "open"

    @property
    def steps(self) -> list[Step]:
        """The four steps it goes through, and how far it has come."""
        return steps_of(self)

    @property
    def rank(self) -> int:
        """0 for the worst severity, growing with mildness; unknown ones come last."""
        return SEVERITIES.index(self.severity) if self.severity in SEVERITIES else len(SEVERITIES)


def listed(alerting: Peer, *, status: str, limit: int) -> list[Incident]:
    """Return the incidents of ``status`` (open or resolved), newest first."""
    answer = alerting.get("/api/v1/incidents", status=status, limit=str(limit))
    found = field(answer, "incidents", part="alerting")
    return read(list[Incident], found, part="alerting")


def one(alerting: Peer, incident_id: str) -> Incident:
    """Return one incident; raise UpstreamError with status 404 when there is none."""
    path = f"/api/v1/incidents/{quote(incident_id, safe='')}"
    return read(Incident, alerting.get(path), part="alerting")


class StepState(StrEnum):
    """How far one step has come."""

    DONE = "done"
    FAILED = "failed"
    HELD = "held"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Step:
    """One of the four steps of an incident: which entry of the timeline settled it, if any."""

    name: str
    state: StepState
    moment: Moment | None
    after_seconds: float | None
    """Seconds since the incident started."""


STEPS: tuple[tuple[str, dict[str, StepState]], ...] = (
    ("Detected", {"detected": StepState.DONE}),
    ("Notified", {"notified": StepState.DONE, "notify-failed": StepState.FAILED}),
    (
        "Action",
        {
            "action-completed": StepState.DONE,
            "action-dispatched": StepState.PENDING,
            "action-failed": StepState.FAILED,
            "action-unknown": StepState.FAILED,
            "action-denied": StepState.HELD,
            "action-proposed": StepState.HELD,
        },
    ),
    (
        "Verified",
        {
            "verified": StepState.DONE,
            "unverified": StepState.FAILED,
        },
    ),
)
"""The steps in order, and how each kind of timeline entry settles its step."""

_BEST_FIRST = (StepState.DONE, StepState.PENDING, StepState.FAILED, StepState.HELD)


def steps_of(incident: Incident) -> list[Step]:
    """Return the four steps with the entry that tells each best: the first of the best state."""
    return [_step(incident, name, states) for name, states in STEPS]


def _step(incident: Incident, name: str, states: dict[str, StepState]) -> Step:
    moments = [moment for moment in incident.timeline if moment.kind in states]
    for state in _BEST_FIRST:
        for moment in moments:
            if states[moment.kind] is state:
                after = (moment.at - incident.started_at).total_seconds()
                return Step(name, state, moment, max(after, 0.0))
    return Step(name, StepState.PENDING, None, None)
