"""Keeps the newest state of every alert and passes on only what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import tables
from alerting.pipeline import Batch, Work
from alerting.transitions import Change, Known, Transition, compare
from watchkeeper import bulk


class Deduplicate:
    """A client repeats itself for ever; only a change goes further."""

    def run(self, batch: Batch, work: Work) -> Batch:
        """Store every alert, of which the batch holds each once, and return the transitions."""
        known = _known(work.connection, [alert.fingerprint for alert in batch.alerts])
        transitions = []
        for alert in batch.alerts:
            found = known.get(alert.fingerprint)
            transition = compare(alert, found, now=work.now)
            if transition is not None:
                transitions.append(_with_first_start(transition, found))
        _insert(work, [t for t in transitions if t.alert.fingerprint not in known])
        _update(work, [t for t in transitions if t.alert.fingerprint in known])
        return replace(batch, transitions=transitions)


def _with_first_start(transition: Transition, known: Known | None) -> Transition:
    """Keep the start of an episode when a renewal comes with a later one."""
    alert = transition.alert
    if known is None or transition.change is not Change.RENEWED:
        return transition
    if known.starts_at >= alert.starts_at:
        return transition
    return replace(transition, alert=replace(alert, starts_at=known.starts_at))


def _known(connection: Connection, fingerprints: Sequence[str]) -> dict[str, Known]:
    table = tables.alerts
    rows = connection.execute(
        sa.select(
            table.c.fingerprint,
            table.c.status,
            table.c.starts_at,
            table.c.incident_id,
            table.c.muted_by,
            table.c.annotations,
        ).where(bulk.among(table.c.fingerprint, fingerprints))
    )
    return {
        row.fingerprint: Known(
            row.status == "firing",
            row.starts_at,
            row.incident_id,
            row.muted_by or {},
            row.annotations,
        )
        for row in rows
    }


def _insert(work: Work, transitions: Sequence[Transition]) -> None:
    rows = [{"fingerprint": t.alert.fingerprint, **_values(t, work)} for t in transitions]
    bulk.insert_all(work.connection, tables.alerts, rows)


def _update(work: Work, transitions: Sequence[Transition]) -> None:
    # Its incident goes with it, but one that fires anew belongs to none yet: compare() says none.
    rows = [
        {"fingerprint": t.alert.fingerprint, **_values(t, work), "incident_id": t.incident_id}
        for t in transitions
    ]
    bulk.update_all(work.connection, tables.alerts, rows, by=["fingerprint"])


def _values(transition: Transition, work: Work) -> dict[str, Any]:
    alert = transition.alert
    return {
        "status": "resolved" if transition.change is Change.RESOLVED else "firing",
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "starts_at": alert.starts_at,
        "ends_at": alert.ends_at,
        "generator_url": alert.generator_url,
        "updated_at": work.now,
    }
