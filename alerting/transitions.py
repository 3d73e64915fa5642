"""What a newly arrived alert means beside what is already known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    muted_by: Mapping[str, list[str]] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Transition:
    """One alert and how it changed.

    Attributes:
        incident_id: the incident it belongs to so far.
        muted_by: why nobody is to be told: kind of mute to the ids or names behind it.
        was_muted_by: the same as the database has it.
        says_more: its annotations differ from those last stored.
    """

    alert: Alert
    change: Change
    incident_id: str | None = None
    muted_by: Mapping[str, list[str]] = field(default_factory=dict)
    was_muted_by: Mapping[str, list[str]] = field(default_factory=dict)
    says_more: bool = False

    def muted(self, kind: str, by: list[str]) -> Transition:
        """Return the transition with one more kind of mute, or itself when ``by`` is empty."""
        by = [*self.muted_by.get(kind, []), *by]
        return replace(self, muted_by={**self.muted_by, kind: by}) if by else self


def compare(alert: Alert, known: Known | None, *, now: datetime) -> Transition | None:
    """Return what changed, or None when the alert tells nothing (it ended and was not firing)."""
    was_firing = known is not None and known.is_firing
    incident_id = known.incident_id if known and was_firing else None
    muted_by = known.muted_by if known else {}
    says_more = known is not None and known.annotations != alert.annotations
    if alert.is_firing(now):
        change = Change.RENEWED if was_firing else Change.FIRED
        return Transition(alert, change, incident_id, was_muted_by=muted_by, says_more=says_more)
    if known and was_firing and not _is_of_earlier_episode(alert, known):
        return Transition(alert, Change.RESOLVED, incident_id, was_muted_by=muted_by)
    return None


def _is_of_earlier_episode(alert: Alert, known: Known) -> bool:
    """A client may go on sending the end of one episode while the next is firing."""
    return alert.starts_at < known.starts_at and alert.ends_at <= known.starts_at
