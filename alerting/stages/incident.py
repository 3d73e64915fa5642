"""Opens, updates and resolves incidents: one for each episode of a group."""

from __future__ import annotations

from dataclasses import replace

from alerting import incidents
from alerting.pipeline import Batch, Event, Occurrence, Work
from alerting.transitions import Change, Transition


class Incident:
    """An incident opens with the first alert of a group and resolves with the last."""

    def run(self, batch: Batch, work: Work) -> Batch:
        """Write the incidents and return what happened to each."""
        occurrences: list[Occurrence] = []
        for key, transitions in batch.groups.items():
            fired = [t for t in transitions if t.change is not Change.RESOLVED]
            if fired:
                occurrences += self._fired(key, fired, work)
        # After everything that fired, so that a batch that swaps one alert for another keeps the
        # incident open; and by the incident an alert joined, for group_by may have changed since.
        resolved = [t for t in batch.transitions if t.change is Change.RESOLVED]
        for incident_id in dict.fromkeys(t.incident_id for t in resolved if t.incident_id):
            ended = [t for t in resolved if t.incident_id == incident_id]
            occurrences += self._resolved(incident_id, ended, work)
        return replace(batch, occurrences=occurrences)

    def _fired(self, key: str, transitions: list[Transition], work: Work) -> list[Occurrence]:
        # One that was held back until now begins now, as far as people and rules are concerned.
        new = [replace(t, change=Change.FIRED) for t in transitions if t.incident_id is None]
        for transition in transitions:
            if transition.incident_id is not None:
                incidents.renew(work.connection, transition.incident_id, transition.alert)
        if not new:
            return []
        incident_id = incidents.open_one(work.connection, key)
        event = Event.UPDATED
        if incident_id is None:
            incident_id = incidents.create(work.connection, key, new[0].alert)
            event = Event.OPENED
        incidents.join(work.connection, incident_id, [t.alert for t in new], now=work.now)
        return [Occurrence(incident_id, event, tuple(new))]

    def _resolved(
        self, incident_id: str, transitions: list[Transition], work: Work
    ) -> list[Occurrence]:
        ended = incidents.leave(
            work.connection, incident_id, [t.alert for t in transitions], now=work.now
        )
        event = Event.RESOLVED if ended else Event.UPDATED
        return [Occurrence(incident_id, event, tuple(transitions))]
