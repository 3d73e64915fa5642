"""Opens, updates and resolves incidents: one for each episode of a group."""

from __future__ import annotations

from dataclasses import replace

from alerting import incidents
from alerting.incidents import Member
from alerting.pipeline import Batch, Event, Occurrence, Work
from alerting.transitions import Change, Transition


class Incident:
    """An incident opens with the first alert of a group and resolves with the last."""

    def run(self, batch: Batch, work: Work) -> Batch:
        """Write the incidents and return what happened to each."""
        incidents.renew(
            work.connection,
            [
                Member(t.incident_id, t.alert)
                for t in batch.transitions
                if t.change is Change.RENEWED and t.incident_id and t.says_more
            ],
        )
        begun = self._begun(batch, work)
        # After everything that fired, so that a batch that swaps one alert for another keeps the
        # incident open; and by the incident an alert joined, for group_by may have changed since.
        return replace(batch, occurrences=[*begun, *self._ended(batch, work)])

    def _begun(self, batch: Batch, work: Work) -> list[Occurrence]:
        """Let what fires and is in no incident join one, opened where there is none."""
        # One that was held back until now begins now, as far as people and rules are concerned.
        joining = {
            key: [replace(t, change=Change.FIRED) for t in transitions if _is_outside(t)]
            for key, transitions in batch.groups.items()
        }
        joining = {key: transitions for key, transitions in joining.items() if transitions}
        if not joining:
            return []
        known = incidents.open_ones(work.connection, list(joining))
        created = incidents.create(
            work.connection,
            {key: found[0].alert for key, found in joining.items() if key not in known},
        )
        ids = {**known, **created}
        members = [Member(ids[key], t.alert) for key, found in joining.items() for t in found]
        incidents.join(work.connection, members, opened=set(created.values()), now=work.now)
        return [
            Occurrence(ids[key], Event.OPENED if key in created else Event.UPDATED, tuple(found))
            for key, found in joining.items()
        ]

    def _ended(self, batch: Batch, work: Work) -> list[Occurrence]:
        """Take what ended out of its incident; the last one resolves it."""
        ended: dict[str, list[Transition]] = {}
        for transition in batch.transitions:
            if transition.change is Change.RESOLVED and transition.incident_id:
                ended.setdefault(transition.incident_id, []).append(transition)
        members = [Member(key, t.alert) for key, found in ended.items() for t in found]
        resolved = incidents.leave(work.connection, members, now=work.now)
        return [
            Occurrence(key, Event.RESOLVED if key in resolved else Event.UPDATED, tuple(found))
            for key, found in ended.items()
        ]


def _is_outside(transition: Transition) -> bool:
    return transition.change is not Change.RESOLVED and transition.incident_id is None
