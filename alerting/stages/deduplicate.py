"""Keeps the newest state of every alert and passes on only what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import tables
from alerting.pipeline import Batch, Work
from alerting.transitions import Change, Known, Transition, compare

LOOKUP_CHUNK = 500
"""Below the 999 parameters a SQLite statement could hold before 3.32."""


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
    found = {}
    for chunk in _chunks(fingerprints):
        rows = connection.execute(
            sa.select(
                table.c.fingerprint,
                table.c.status,
                table.c.starts_at,
                table.c.incident_id,
                table.c.muted_by,
                table.c.annotations,
            ).where(table.c.fingerprint.in_(chunk))
        )
        for row in rows:
            is_firing = row.status == "firing"
            found[row.fingerprint] = Known(
                is_firing, row.starts_at, row.incident_id, row.muted_by or {}, row.annotations
            )
    return found


def _chunks(values: Sequence[str]) -> Iterator[list[str]]:
    remaining = iter(values)
    while chunk := list(islice(remaining, LOOKUP_CHUNK)):
        yield chunk


def _insert(work: Work, transitions: Sequence[Transition]) -> None:
    if transitions:
        rows = [
            {"fingerprint": t.alert.fingerprint, **_values(t, work), "incident_id": t.incident_id}
            for t in transitions
        ]
        work.connection.execute(sa.insert(tables.alerts), rows)


def _update(work: Work, transitions: Sequence[Transition]) -> None:
    table = tables.alerts
    # One that fires anew belongs to no incident yet, whatever it belonged to before.
    for resets_incident in (False, True):
        rows = [
            {"key": t.alert.fingerprint, **_values(t, work)}
            for t in transitions
            if (t.change is Change.FIRED) is resets_incident
        ]
        if rows:
            statement = sa.update(table).where(table.c.fingerprint == sa.bindparam("key"))
            if resets_incident:
                statement = statement.values(incident_id=None)
            work.connection.execute(statement, rows)


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
