"""Writes one delivery a receiver for everything people are to be told."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from alerting import messages, outbox, tables, timeline
from alerting.pipeline import Batch, Event, Occurrence, Work
from alerting.timeline import Kind


class Notify:
    """The messages are in the same transaction as what they tell of."""

    def run(self, batch: Batch, work: Work) -> Batch:
        """Write the deliveries; the batch passes unchanged."""
        for occurrence in batch.occurrences:
            tell(occurrence, work)
        return batch


def tell(occurrence: Occurrence, work: Work) -> None:
    """Write the deliveries of one occurrence to the receivers that can be used."""
    if occurrence.event is Event.UPDATED and _is_muted(occurrence, work):
        return
    usable = [name for name in occurrence.receivers if _is_usable(name, work)]
    if not usable:
        _say_nobody_is_told(occurrence, work)
        return
    incident = messages.compose(work.connection, occurrence.incident_id, work.settings)
    for receiver in usable:
        key = occurrence.incident_id
        if occurrence.event in (Event.UPDATED, Event.RESOLVED):
            # Messages are cumulative: an update nobody has tried to send is contained in this one.
            outbox.supersede(work.connection, receiver=receiver, key=key, event=Event.UPDATED)
        outbox.put(
            work.connection,
            receiver=receiver,
            key=key,
            event=occurrence.event,
            incident=incident,
            now=work.now,
            not_before=_not_before(receiver, occurrence, work),
        )


def _not_before(receiver: str, occurrence: Occurrence, work: Work) -> datetime:
    """Return when to send: at once, but mere updates keep a distance so that nobody is flooded."""
    if occurrence.event is not Event.UPDATED:
        return work.now
    newest = outbox.newest_at(work.connection, receiver=receiver, key=occurrence.incident_id)
    if newest is None:
        return work.now
    return max(work.now, newest + timedelta(seconds=work.settings.update_interval_seconds))


def _is_usable(name: str, work: Work) -> bool:
    receiver = work.settings.receiver(name)
    return receiver is not None and receiver.is_configured


def _is_muted(occurrence: Occurrence, work: Work) -> bool:
    """Return whether every firing alert of the incident is muted: then nothing is news."""
    members, alerts = tables.incident_alerts, tables.alerts
    rows = work.connection.execute(
        sa.select(alerts.c.muted_by)
        .join(members, members.c.fingerprint == alerts.c.fingerprint)
        .where(members.c.incident_id == occurrence.incident_id, members.c.status == "firing")
    ).all()
    return bool(rows) and all(row.muted_by for row in rows)


def _say_nobody_is_told(occurrence: Occurrence, work: Work) -> None:
    if occurrence.event is Event.OPENED:
        text = "no receiver configured: nobody is told"
        timeline.add(work.connection, occurrence.incident_id, Kind.UPDATED, text, now=work.now)
