"""Writes one delivery a receiver for everything people are to be told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import messages, outbox, tables, timeline
from alerting.outbox import Envelope
from alerting.pipeline import Batch, Event, Occurrence, Work
from alerting.timeline import Entry, Kind
from watchkeeper import bulk


class Notify:
    """The messages are in the same transaction as what they tell of."""

    def run(self, batch: Batch, work: Work) -> Batch:
        """Write the deliveries; the batch passes unchanged."""
        tell(batch.occurrences, work)
        return batch


def tell(occurrences: Sequence[Occurrence], work: Work) -> None:
    """Write the deliveries of occurrences, in their order, to the receivers that can be used."""
    updated = [o.incident_id for o in occurrences if o.event is Event.UPDATED]
    silent = muted_incidents(work.connection, updated) | _acknowledged(occurrences, work)
    news = [o for o in occurrences if o.event is not Event.UPDATED or o.incident_id not in silent]
    told = [(o, name) for o in news for name in o.receivers if _is_usable(name, work)]
    heard = {o.incident_id for o, _name in told}
    _say_nobody_is_told([o for o in news if o.incident_id not in heard], work)
    if not told:
        return
    # An update says how things stand when it is sent: one that waits will tell of this too, and an
    # ending makes it needless.
    ended = [o.incident_id for o, _name in told if o.event is Event.RESOLVED]
    outbox.supersede(work.connection, keys=ended, event=Event.UPDATED)
    waiting = outbox.waiting(work.connection, keys=list(heard), event=Event.UPDATED)
    told = [
        (o, name)
        for o, name in told
        if o.event is not Event.UPDATED or (name, o.incident_id) not in waiting
    ]
    if not told:
        return
    snapshots = {o.incident_id for o, _name in told if o.event is not Event.UPDATED}
    incidents = messages.compose(work.connection, list(snapshots), work.settings)
    newest = outbox.newest_at(work.connection, keys=list(heard))
    outbox.put(
        work.connection,
        [
            Envelope(
                receiver=name,
                key=o.incident_id,
                event=o.event,
                incident=incidents[o.incident_id] if o.event is not Event.UPDATED else {},
                not_before=_not_before(o.event, newest.get((name, o.incident_id)), work),
            )
            for o, name in told
        ],
        now=work.now,
    )


def _not_before(event: Event, newest: datetime | None, work: Work) -> datetime:
    """Return when to send: at once, but mere updates keep a distance so that nobody is flooded."""
    if event is not Event.UPDATED or newest is None:
        return work.now
    return max(work.now, newest + timedelta(seconds=work.settings.update_interval_seconds))


def _is_usable(name: str, work: Work) -> bool:
    receiver = work.settings.receiver(name)
    return receiver is not None and receiver.is_configured


def muted_incidents(connection: Connection, incident_ids: Sequence[str]) -> set[str]:
    """Return the incidents whose every firing alert is muted: there, nothing is news."""
    alerts, members = tables.alerts, tables.incident_alerts
    any_muted = sa.select(alerts.c.fingerprint).where(alerts.c.is_muted).limit(1)
    if not incident_ids or connection.execute(any_muted).first() is None:
        return set()
    rows = connection.execute(
        sa.select(members.c.incident_id)
        .join(alerts, alerts.c.fingerprint == members.c.fingerprint)
        .where(bulk.among(members.c.incident_id, incident_ids), members.c.status == "firing")
        .group_by(members.c.incident_id)
        .having(sa.func.min(sa.cast(alerts.c.is_muted, sa.Integer)) == 1)
    )
    return {row.incident_id for row in rows}


def _acknowledged(occurrences: Sequence[Occurrence], work: Work) -> set[str]:
    """Return the incidents that a person has taken: its updates need wake nobody any more."""
    table = tables.incidents
    updated = {o.incident_id for o in occurrences if o.event is Event.UPDATED}
    rows = work.connection.execute(
        sa.select(table.c.id).where(
            bulk.among(table.c.id, updated), table.c.acknowledged_at.is_not(None)
        )
    )
    return {row.id for row in rows}


def _say_nobody_is_told(occurrences: Sequence[Occurrence], work: Work) -> None:
    text = "no receiver configured: nobody is told"
    entries = [
        Entry(o.incident_id, Kind.UPDATED, text) for o in occurrences if o.event is Event.OPENED
    ]
    timeline.add_all(work.connection, entries, now=work.now)
