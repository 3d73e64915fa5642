"""Decides who is told of each occurrence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import tables
from alerting.pipeline import Batch, Occurrence, Work
from alerting.routing import stops_for
from alerting.transitions import Change
from watchkeeper import bulk

_table = tables.incidents


class Route:
    """Walks the route tree for what fired and remembers the receivers with the incident.

    Whoever heard it open hears everything that follows, also after the routes have changed.
    """

    def run(self, batch: Batch, work: Work) -> Batch:
        """Return the occurrences with their receivers."""
        so_far = receivers_of(work.connection, [found.incident_id for found in batch.occurrences])
        routed = [_routed(found, so_far, work) for found in batch.occurrences]
        changed = [
            {"id": found.incident_id, "receivers": list(found.receivers)}
            for found in routed
            if list(found.receivers) != so_far[found.incident_id]
        ]
        bulk.update_all(work.connection, _table, changed, by=["id"])
        return replace(batch, occurrences=routed)


def _routed(occurrence: Occurrence, so_far: Mapping[str, list[str]], work: Work) -> Occurrence:
    fired = [t.alert.labels for t in occurrence.transitions if t.change is Change.FIRED]
    names = [
        *so_far[occurrence.incident_id],
        *(name for labels in fired for name in _speaking(labels, work)),
    ]
    return replace(occurrence, receivers=tuple(dict.fromkeys(names)))


def _speaking(labels: Mapping[str, str], work: Work) -> list[str]:
    """Return who is told now: the receivers of the routes that are not silent at this time."""
    stops = stops_for(labels, work.settings.route)
    speaking = [stop for stop in stops if not stop.silencing(work.settings, work.now)]
    return [name for stop in speaking for name in stop.receivers]


def receivers_of(connection: Connection, incident_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return who is told of each incident so far."""
    rows = connection.execute(
        sa.select(_table.c.id, _table.c.receivers).where(bulk.among(_table.c.id, incident_ids))
    )
    return {row.id: list(row.receivers or []) for row in rows}
