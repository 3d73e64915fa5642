"""What alerting sends out: messages to people, and calls that press buttons."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pydantic import AwareDatetime, Field

from dashboards.console import person
from dashboards.console.answers import Answer, field, read
from dashboards.console.lights import Light
from watchkeeper.peers import Peer

LIMIT = 100
"""Rows a page shows; the API has the rest."""


class Delivery(Answer):
    """One message to one receiver."""

    id: str
    receiver: str
    event: str = ""
    incident_id: str | None = None
    state: str
    attempts: int = 0
    created_at: AwareDatetime
    delivered_at: AwareDatetime | None = None
    next_attempt_at: AwareDatetime | None = None
    error: str | None = None

    @property
    def light(self) -> Light:
        """How it stands: a dead letter is a person who was not told."""
        if self.state == "dead":
            return Light.CRITICAL
        if self.state in ("delivered", "superseded"):
            return Light.GOOD
        return Light.WARNING if self.error else Light.UNKNOWN


class Action(Answer):
    """One call to a remediation endpoint, or what would have been one."""

    rule: str = ""
    action: str
    target: str = ""
    mode: str = ""
    state: str
    incident_id: str | None = None
    summary: str | None = None
    denied_by: tuple[str, ...] = ()
    created_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    claimed_at: AwareDatetime | None = None
    """When it passed the guards, and so was taken from the budgets."""
    idempotency_key: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)

    def awaits(self, incident_id: str) -> bool:
        """Whether it waits for somebody's word about an incident."""
        return self.state == "proposed" and self.incident_id == incident_id

    @property
    def light(self) -> Light:
        """How it stands: what is not known to have worked is not shown as if it had."""
        if self.state == "succeeded":
            return Light.GOOD
        if self.state in ("failed", "unverified", "unknown"):
            return Light.CRITICAL
        return Light.UNKNOWN


class Switch(Answer):
    """The kill switch, and what is being done right now."""

    paused: bool
    reason: str | None = None
    by: str | None = None
    since: AwareDatetime | None = None
    in_flight: tuple[Action, ...] = ()


def switch(alerting: Peer) -> Switch:
    """Return how the kill switch stands."""
    return read(Switch, alerting.get("/api/v1/status"), part="alerting")


def deliveries(alerting: Peer) -> list[Delivery]:
    """Return the newest deliveries, dead letters and troubled ones first."""
    answer = alerting.get("/api/v1/deliveries", limit=str(LIMIT))
    found = read(list[Delivery], field(answer, "deliveries", part="alerting"), part="alerting")
    return sorted(found, key=lambda one: one.light not in (Light.CRITICAL, Light.WARNING))


def replay(alerting: Peer, delivery_id: str, *, by: str) -> None:
    """Send one dead letter again."""
    alerting.post(f"/api/v1/deliveries/{quote(delivery_id, safe='')}/replay", person.signature(by))


def replay_all(alerting: Peer, *, by: str) -> int:
    """Send dead letters again, as many as alerting takes at once; return how many those are."""
    answer = alerting.post("/api/v1/deliveries/replay", person.signature(by))
    return len(read(list[str], field(answer, "replayed", part="alerting"), part="alerting"))


def actions(alerting: Peer) -> list[Action]:
    """Return the newest actions."""
    answer = alerting.get("/api/v1/actions", limit=str(LIMIT))
    return read(list[Action], field(answer, "actions", part="alerting"), part="alerting")
