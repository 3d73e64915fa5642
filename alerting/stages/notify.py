"""Writes one delivery a receiver for everything people are to be told."""

from __future__ import annotations

from datetime import datetime, timedelta

from alerting import messages, outbox, timeline
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


def _say_nobody_is_told(occurrence: Occurrence, work: Work) -> None:
    if occurrence.event is Event.OPENED:
        text = "no receiver configured: nobody is told"
        timeline.add(work.connection, occurrence.incident_id, Kind.UPDATED, text, now=work.now)
