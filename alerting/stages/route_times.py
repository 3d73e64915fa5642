"""Mutes what every route it takes is silent about at this time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from alerting.pipeline import Batch, Work
from alerting.routing import every_route, stops_for


class RouteTimes:
    """Applies ``mute_time_intervals`` and ``active_time_intervals``, with Alertmanager's names.

    An alert waits only when all the routes it takes are silent; with one that is not, it is told
    there at once.
    """

    def run(self, batch: Batch, work: Work) -> Batch:
        """Return the transitions, each with the intervals that mute it."""
        routes = every_route(work.settings.route)
        if not any(r.mute_time_intervals or r.active_time_intervals for r in routes):
            return batch
        transitions = [
            t.muted("maintenance", _silencing(t.alert.labels, work)) for t in batch.transitions
        ]
        return replace(batch, transitions=transitions)


def _silencing(labels: Mapping[str, str], work: Work) -> list[str]:
    stops = stops_for(labels, work.settings.route)
    silencing = [stop.silencing(work.settings, work.now) for stop in stops]
    return silencing[0] if all(silencing) else []
