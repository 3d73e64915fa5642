"""Writes one delivery a receiver for everything people are to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import messages, outbox, tables, timeline
from alerting.outbox import Envelope
from alerting.pipeline import Batch, Event, Occurrence, Work
from alerting.routing import every_route, stops_for
from alerting.timeline import Entry, Kind
from alerting.transitions import Change
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
    told = _without_what_waits(told, work)
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
    newest = outbox.newest_at(work.connection, keys=list(heard))
    due = [(o, name, _not_before(o, name, newest, work)) for o, name in told]
    # What waits says how things stand when it is sent; the rest, how they are now.
    snapshots = {o.incident_id for o, _name, at in due if _is_told_as_it_is(o, at, work)}
    incidents = messages.compose(work.connection, list(snapshots), work.settings)
    outbox.put(
        work.connection,
        [
            Envelope(
                receiver=name,
                key=o.incident_id,
                event=o.event,
                incident=incidents[o.incident_id] if _is_told_as_it_is(o, at, work) else {},
                not_before=at,
            )
            for o, name, at in due
        ],
        now=work.now,
    )


def _is_told_as_it_is(occurrence: Occurrence, at: datetime, work: Work) -> bool:
    return occurrence.event is not Event.UPDATED and at <= work.now


def _without_what_waits(
    told: Sequence[tuple[Occurrence, str]], work: Work
) -> list[tuple[Occurrence, str]]:
    """Leave out what a first message that still waits will tell, or need not tell any more.

    Who has not heard of an incident, because it was over within the ``group_wait``, need not hear
    of its end either; its story says so.
    """
    if not _is_anything_waited_for(work):
        return list(told)
    ended = [o.incident_id for o, _name in told if o.event is Event.RESOLVED]
    spared = outbox.withdraw(work.connection, keys=ended, event=Event.OPENED, now=work.now)
    entries = [
        Entry(key, Kind.UPDATED, f"over within the group_wait: {receiver} was not told")
        for receiver, key in sorted(spared)
    ]
    timeline.add_all(work.connection, entries, now=work.now)
    updated = [o.incident_id for o, _name in told if o.event is Event.UPDATED]
    opening = outbox.not_due(work.connection, keys=updated, event=Event.OPENED, now=work.now)
    needless = {Event.RESOLVED: spared, Event.UPDATED: opening}
    return [(o, name) for o, name in told if (name, o.incident_id) not in needless.get(o.event, ())]


def _is_anything_waited_for(work: Work) -> bool:
    return any(route.group_wait_seconds for route in every_route(work.settings.route))


def _not_before(
    occurrence: Occurrence, name: str, newest: Mapping[tuple[str, str], datetime], work: Work
) -> datetime:
    """Return when to send: at once, unless a route's ``group_wait`` gives others time to join.

    Mere updates keep a distance so that nobody is flooded.
    """
    if occurrence.event is Event.OPENED:
        return work.now + timedelta(seconds=_group_wait_seconds(occurrence, name, work))
    before = newest.get((name, occurrence.incident_id))
    if occurrence.event is not Event.UPDATED or before is None:
        return work.now
    return max(work.now, before + timedelta(seconds=work.settings.update_interval_seconds))


def _group_wait_seconds(occurrence: Occurrence, name: str, work: Work) -> float:
    """Return how long a first message waits: as the most impatient route to its receiver says."""
    if not _is_anything_waited_for(work):
        return 0.0
    waits = [
        stop.group_wait_seconds
        for transition in occurrence.transitions
        if transition.change is Change.FIRED
        for stop in stops_for(transition.alert.labels, work.settings.route)
        if name in stop.receivers and not stop.silencing(work.settings, work.now)
    ]
    return min(waits, default=0.0)


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
