"""Mutes what is expected at this time."""

from __future__ import annotations

from dataclasses import replace

from alerting.matchers import all_match
from alerting.pipeline import Batch, Work


class Maintenance:
    """Applies the configured maintenance windows."""

    def run(self, batch: Batch, work: Work) -> Batch:
        """Return the transitions, each with the windows that mute it."""
        settings = work.settings
        current = [
            window
            for window in settings.maintenance
            if any(settings.interval(name).contains(work.now) for name in window.during)
        ]
        if not current:
            return batch
        transitions = [
            t.muted("maintenance", [w.name for w in current if all_match(w.match, t.alert.labels)])
            for t in batch.transitions
        ]
        return replace(batch, transitions=transitions)
