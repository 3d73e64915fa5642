"""Decides who is told of each occurrence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from alerting import tables
from alerting.matchers import all_match
from alerting.pipeline import Batch, Occurrence, Work
from alerting.settings import RouteSettings


class Route:
    """Walks the route tree for every alert of the incident and unites the receivers found."""

    def run(self, batch: Batch, work: Work) -> Batch:
        """Return the occurrences with their receivers."""
        return replace(batch, occurrences=[routed(found, work) for found in batch.occurrences])


def routed(occurrence: Occurrence, work: Work) -> Occurrence:
    """Return the occurrence with everyone its incident is routed to."""
    # All alerts of the incident, not only the changed ones: whoever heard it open hears it resolve.
    table = tables.incident_alerts
    rows = work.connection.execute(
        sa.select(table.c.labels).where(table.c.incident_id == occurrence.incident_id)
    )
    names = [name for row in rows for name in receivers_for(row.labels, work.settings.route)]
    return replace(occurrence, receivers=tuple(dict.fromkeys(names)))


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
