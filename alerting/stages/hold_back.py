"""Keeps muted alerts out of incidents until nothing mutes them any more."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from alerting import tables
from alerting.pipeline import Batch, Work
from alerting.transitions import Change, Transition


class HoldBack:
    """A muted alert that is in no incident waits; one that is in an incident stays there.

    Who was told that an incident opened is told that it resolved, muted or not.
    """

    def run(self, batch: Batch, work: Work) -> Batch:
        """Write what mutes each alert and return the transitions that may go on."""
        for transition in batch.transitions:
            if transition.muted_by != transition.was_muted_by:
                _write(transition, work)
        going_on = [t for t in batch.transitions if not _waits(t)]
        return replace(batch, transitions=going_on)


def _waits(transition: Transition) -> bool:
    is_new = transition.incident_id is None and transition.change is not Change.RESOLVED
    return is_new and bool(transition.muted_by)


def _write(transition: Transition, work: Work) -> None:
    table = tables.alerts
    work.connection.execute(
        sa.update(table)
        .where(table.c.fingerprint == transition.alert.fingerprint)
        .values(muted_by=dict(transition.muted_by), is_muted=bool(transition.muted_by))
    )
