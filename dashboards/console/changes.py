"""What changed lately: what began to run, what was reconfigured, what was done by whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dashboards.console.incidents import Incident
from dashboards.console.targets import Landscape


class Change(StrEnum):
    """Kinds of change."""

    STARTED = "started"
    RELOADED = "reloaded"
    OPENED = "opened"
    RESOLVED = "resolved"
    ACTED = "acted"


@dataclass(frozen=True, slots=True)
class Event:
    """One change; ``incident_id`` leads to the incident it belongs to."""

    at: datetime
    change: Change
    text: str
    incident_id: str | None = None


START_UP = timedelta(seconds=30)
"""A file read this soon after its service began was not changed, only read."""

_ENDED = frozenset({"action-completed", "action-failed", "action-unknown"})
_ACTIONS = _ENDED | {"action-dispatched"}


def gather(
    landscape: Landscape | None,
    incidents: Iterable[Incident],
    *,
    now: datetime,
    recent_seconds: float,
) -> list[Event]:
    """Return the changes of the last ``recent_seconds``, newest first."""
    since = now - timedelta(seconds=recent_seconds)
    events = [event for incident in incidents for event in _of_incident(incident)]
    if landscape is not None:
        events += _of_landscape(landscape)
    return sorted((e for e in events if e.at >= since), key=lambda e: e.at, reverse=True)


def _of_incident(incident: Incident) -> Iterator[Event]:
    yield Event(incident.started_at, Change.OPENED, incident.title, incident.id)
    yield from _actions_of(incident)
    if incident.resolved_at is not None:
        yield Event(incident.resolved_at, Change.RESOLVED, incident.title, incident.id)


def _actions_of(incident: Incident) -> Iterator[Event]:
    """Yield one event an action: how it ended, or that it was begun while it has not."""
    moments = [moment for moment in incident.timeline if moment.kind in _ACTIONS]
    for moment, after in zip(moments, [*moments, None][1:], strict=True):
        if moment.kind in _ENDED or after is None or after.kind not in _ENDED:
            yield Event(moment.at, Change.ACTED, moment.text, incident.id)


def _of_landscape(landscape: Landscape) -> Iterator[Event]:
    for restart in landscape.restarts:
        yield Event(restart.at, Change.STARTED, f"{restart.job} {restart.instance}".strip())
    started = {restart.job: restart.at for restart in landscape.restarts}
    for reload in landscape.reloads:
        began = started.get(reload.service)
        if began is not None and reload.at - began < START_UP:
            continue  # read because it started, which is told already
        yield Event(reload.at, Change.RELOADED, f"{reload.service}: {reload.file}")
