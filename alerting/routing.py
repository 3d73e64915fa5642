"""The route tree: which branches an alert takes, and whether they speak at this time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.matchers import all_match
from alerting.settings import AlertingSettings, RouteSettings


@dataclass(frozen=True, slots=True)
class Stop:
    """Where an alert ends up: the deepest branch that matches, and who is told there."""

    receivers: Sequence[str]
    route: RouteSettings
    repeat_interval_seconds: float | None = None
    group_wait_seconds: float = 0.0

    def silencing(self, settings: AlertingSettings, now: datetime) -> list[str]:
        """Return the names of the intervals that silence it now; empty when it speaks."""
        muting = [
            name for name in self.route.mute_time_intervals if settings.interval(name).contains(now)
        ]
        active = self.route.active_time_intervals
        if muting or not active or any(settings.interval(name).contains(now) for name in active):
            return muting
        return list(active)


def stops_for(
    labels: Mapping[str, str], route: RouteSettings, parent: Stop | None = None
) -> list[Stop]:
    """Return where an alert ends up, in Alertmanager's way.

    A branch without receivers, ``repeat_interval`` or ``group_wait`` of its own uses its parent's;
    after a branch that matched, its siblings are tried only when it says ``continue``. Times are
    not inherited.
    """
    wait_seconds = route.group_wait_seconds
    if wait_seconds is None:
        wait_seconds = parent.group_wait_seconds if parent else 0.0
    here = Stop(
        route.receivers or (parent.receivers if parent else ()),
        route,
        route.repeat_interval_seconds or (parent.repeat_interval_seconds if parent else None),
        wait_seconds,
    )
    found: list[Stop] = []
    for branch in route.routes:
        if not all_match(branch.match, labels):
            continue
        found += stops_for(labels, branch, here)
        if not branch.continue_:
            break
    return found or [here]


def receivers_for(labels: Mapping[str, str], route: RouteSettings) -> list[str]:
    """Return who is told of an alert, whatever the time."""
    return [name for stop in stops_for(labels, route) for name in stop.receivers]


def every_route(route: RouteSettings) -> Iterator[RouteSettings]:
    """Yield a route and all below it."""
    yield route
    for branch in route.routes:
        yield from every_route(branch)
