"""Decides who is told of each occurrence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import tables
from alerting.matchers import all_match
from alerting.pipeline import Batch, Occurrence, Work
from alerting.settings import RouteSettings
from alerting.transitions import Change

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
            {"key": found.incident_id, "receivers": list(found.receivers)}
            for found in routed
            if list(found.receivers) != so_far[found.incident_id]
        ]
        if changed:
            work.connection.execute(
                sa.update(_table).where(_table.c.id == sa.bindparam("key")), changed
            )
        return replace(batch, occurrences=routed)


def _routed(occurrence: Occurrence, so_far: Mapping[str, list[str]], work: Work) -> Occurrence:
    fired = [t.alert.labels for t in occurrence.transitions if t.change is Change.FIRED]
    names = [
        *so_far[occurrence.incident_id],
        *(name for labels in fired for name in receivers_for(labels, work.settings.route)),
    ]
    return replace(occurrence, receivers=tuple(dict.fromkeys(names)))


def receivers_of(connection: Connection, incident_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return who is told of each incident so far."""
    rows = connection.execute(
        sa.select(_table.c.id, _table.c.receivers).where(_table.c.id.in_(incident_ids))
    )
    return {row.id: list(row.receivers or []) for row in rows}


def receivers_for(labels: Mapping[str, str], route: RouteSettings) -> Sequence[str]:
    """Return the receivers of the deepest branch that matches, in Alertmanager's way.

    A branch without receivers of its own uses its parent's; after a branch that matched, its
    siblings are tried only when it says ``continue``.
    """
    found: list[str] = []
    for branch in route.routes:
        if not all_match(branch.match, labels):
            continue
        found += receivers_for(labels, branch) or route.receivers
        if not branch.continue_:
            break
    return found or route.receivers
