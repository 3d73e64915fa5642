"""What a newly arrived alert means beside what is already known of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from alerting.alert import Alert


class Change(StrEnum):
    """How an alert changed."""

    FIRED = "fired"
    RESOLVED = "resolved"
    RENEWED = "renewed"
    """Still firing; its annotations or its end may be newer."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the database holds of an alert."""

    is_firing: bool
    starts_at: datetime
    incident_id: str | None


@dataclass(frozen=True, slots=True)
class Transition:
    """One alert and how it changed; ``incident_id`` is the incident it belongs to so far."""

    alert: Alert
    change: Change
    incident_id: str | None = None


def compare(alert: Alert, known: Known | None, *, now: datetime) -> Transition | None:
    """Return what changed, or None when the alert tells nothing (it ended and was not firing)."""
    was_firing = known is not None and known.is_firing
    incident_id = known.incident_id if known and was_firing else None
    if alert.is_firing(now):
        change = Change.RENEWED if was_firing else Change.FIRED
        return Transition(alert, change, incident_id)
    if was_firing:
        return Transition(alert, Change.RESOLVED, incident_id)
    return None
