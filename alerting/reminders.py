"""Tells again of what still fires when the last word on it is long ago: ``repeat_interval``.

What somebody has taken, and what is muted, is not told again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import incidents, outbox, tables
from alerting.pipeline import Event, Occurrence, Work
from alerting.routing import every_route, stops_for
from alerting.settings import AlertingSettings
from alerting.stages.notify import muted_incidents, tell
from watchkeeper import bulk

AT_ONCE = 100
"""Incidents told of in one transaction; the rest follow in the next."""

Labels = Mapping[str, str]


def remind(work: Work) -> int:
    """Tell again of every incident whose turn it is; return how many there were."""
    shortest_seconds = shortest_interval_seconds(work.settings)
    if shortest_seconds is None:
        return 0
    waiting = _untaken(work.connection)
    last_told = _last_told(work.connection, list(waiting))
    long_ago = work.now - timedelta(seconds=shortest_seconds)
    quiet = [key for key, told in last_told.items() if min(told.values()) <= long_ago]
    labels = _firing_labels(work.connection, quiet)
    muted = muted_incidents(work.connection, quiet)
    found = []
    for key in [key for key in quiet if key not in muted]:
        names = due(labels[key], last_told[key], work)
        names = [name for name in names if name in waiting[key]]
        if names:
            found.append(Occurrence(key, Event.UPDATED, receivers=tuple(names)))
    tell(found[:AT_ONCE], work)
    return len(found[:AT_ONCE])


def shortest_interval_seconds(settings: AlertingSettings) -> float | None:
    """Return the shortest time after which any route repeats itself; None when none does."""
    wanted = [route.repeat_interval_seconds for route in every_route(settings.route)]
    return min((seconds for seconds in wanted if seconds), default=None)


def due(firing: Sequence[Labels], last_told: Mapping[str, datetime], work: Work) -> list[str]:
    """Return the receivers whose routes want these alerts told again now.

    Args:
        firing: the labels of an incident's firing alerts.
        last_told: when each receiver was last told of the incident.
        work: the routes, and the time.
    """
    names = []
    for labels in firing:
        for stop in stops_for(labels, work.settings.route):
            wait_seconds = stop.repeat_interval_seconds
            if wait_seconds is None or stop.silencing(work.settings, work.now):
                continue
            long_ago = work.now - timedelta(seconds=wait_seconds)
            names += [n for n in stop.receivers if n in last_told and last_told[n] <= long_ago]
    return list(dict.fromkeys(names))


def _last_told(connection: Connection, keys: Sequence[str]) -> dict[str, dict[str, datetime]]:
    """Return by incident when each receiver was last told of it, or is to be."""
    found: dict[str, dict[str, datetime]] = defaultdict(dict)
    for (receiver, key), at in outbox.newest_at(connection, keys=keys).items():
        found[key][receiver] = at
    return found


def _untaken(connection: Connection) -> dict[str, list[str]]:
    """Return the receivers of the open incidents nobody has taken, by id."""
    table = tables.incidents
    rows = connection.execute(
        sa.select(table.c.id, table.c.receivers).where(
            table.c.status == incidents.OPEN, table.c.acknowledged_at.is_(None)
        )
    )
    return {row.id: list(row.receivers) for row in rows}


def _firing_labels(connection: Connection, incident_ids: Sequence[str]) -> dict[str, list[Any]]:
    members = tables.incident_alerts
    rows = connection.execute(
        sa.select(members.c.incident_id, members.c.labels).where(
            bulk.among(members.c.incident_id, incident_ids), members.c.status == "firing"
        )
    )
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.incident_id].append(row.labels)
    return found
