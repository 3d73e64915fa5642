"""Keeps the newest state of every alert and passes on only what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import tables
from alerting.alert import Alert
from alerting.pipeline import Batch, Work
from alerting.transitions import Change, Known, Transition, compare

LOOKUP_CHUNK = 500
"""Below the 999 parameters a SQLite statement could hold before 3.32."""


class Deduplicate:
    """A client repeats itself for ever; only a change goes further."""

    def run(self, batch: Batch, work: Work) -> Batch:
        """Store every alert and return the transitions among them."""
        known = _known(work.connection, [alert.fingerprint for alert in batch.alerts])
        transitions = []
        for alert in batch.alerts:
            found = known.get(alert.fingerprint)
            transition = compare(alert, found, now=work.now)
            if transition is None:
                continue
            if found and transition.change is Change.RENEWED and found.starts_at < alert.starts_at:
                alert = replace(alert, starts_at=found.starts_at)  # noqa: PLW2901  # the earlier start holds
            _store(work, alert, transition, is_known=found is not None)
            firing = transition.change is not Change.RESOLVED
            known[alert.fingerprint] = Known(firing, alert.starts_at, transition.incident_id)
            transitions.append(transition)
        return replace(batch, transitions=transitions)


def _known(connection: Connection, fingerprints: Sequence[str]) -> dict[str, Known]:
    table = tables.alerts
    found = {}
    for chunk in _chunks(fingerprints):
        rows = connection.execute(sa.select(table).where(table.c.fingerprint.in_(chunk)))
        for row in rows:
            is_firing = row.status == "firing"
            found[row.fingerprint] = Known(
                is_firing, row.starts_at, row.incident_id, row.muted_by or {}
            )
    return found


def _chunks(values: Sequence[str]) -> Iterator[list[str]]:
    remaining = iter(values)
    while chunk := list(islice(remaining, LOOKUP_CHUNK)):
        yield chunk


def _store(work: Work, alert: Alert, transition: Transition, *, is_known: bool) -> None:
    table = tables.alerts
    values = {
        "status": "resolved" if transition.change is Change.RESOLVED else "firing",
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "starts_at": alert.starts_at,
        "ends_at": alert.ends_at,
        "generator_url": alert.generator_url,
        "updated_at": work.now,
    }
    if is_known:
        statement = sa.update(table).where(table.c.fingerprint == alert.fingerprint)
        work.connection.execute(statement.values(values))
    else:
        work.connection.execute(sa.insert(table).values(fingerprint=alert.fingerprint, **values))
