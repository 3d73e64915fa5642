"""Mutes what somebody has silenced."""

from __future__ import annotations

from dataclasses import replace

from alerting import silences
from alerting.pipeline import Batch, Work


class Silence:
    """Applies the silences in force."""

    def run(self, batch: Batch, work: Work) -> Batch:
        """Return the transitions, each with the silences that mute it."""
        active = silences.active(work.connection, now=work.now)
        if not active:
            return batch
        transitions = [
            t.muted("silenced", [s.id for s in active if s.mutes(t.alert.labels)])
            for t in batch.transitions
        ]
        return replace(batch, transitions=transitions)
