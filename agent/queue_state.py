"""What a broker knows of one queue, in the same words for every kind of queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.family import Family, Sample
from watchkeeper.catalogue import Metric, tasks


@dataclass(frozen=True, slots=True)
class QueueState:
    """One look at one queue; None is for what this kind of broker cannot tell.

    Attributes:
        queue: its name.
        depth: tasks that wait and are due.
        oldest_age_seconds: of the task that waits longest; 0 for an empty queue. A publisher's
            clock ahead of ours gives a negative age, which is told as it is.
        delayed: tasks not due yet.
        in_flight: tasks taken and not acknowledged.
        oldest_in_flight_seconds: since the longest of them was taken; 0 when there is none.
        stuck: those of them whose worker is gone.
        dead_letters: tasks given up on.
        workers: that listen to it.
        busy_workers: those of them that work.
    """

    queue: str
    depth: int
    oldest_age_seconds: float | None = None
    delayed: int | None = None
    in_flight: int | None = None
    oldest_in_flight_seconds: float | None = None
    stuck: int | None = None
    dead_letters: int | None = None
    workers: int | None = None
    busy_workers: int | None = None


METRICS: dict[str, Metric] = {
    "depth": tasks.QUEUE_DEPTH,
    "oldest_age_seconds": tasks.OLDEST_AGE,
    "delayed": tasks.QUEUE_DELAYED,
    "in_flight": tasks.QUEUE_IN_FLIGHT,
    "oldest_in_flight_seconds": tasks.QUEUE_OLDEST_IN_FLIGHT,
    "stuck": tasks.QUEUE_STUCK,
    "dead_letters": tasks.DEAD_LETTERS,
    "workers": tasks.WORKERS,
    "busy_workers": tasks.WORKERS_BUSY,
}
"""Metric by attribute."""


def families_of(states: Iterable[QueueState]) -> Iterator[Family]:
    """Yield what is known of the queues, one family a metric; what is unknown is left out."""
    known = list(states)
    for attribute, metric in METRICS.items():
        samples: list[Sample] = [
            ((state.queue,), value)
            for state in known
            if (value := getattr(state, attribute)) is not None
        ]
        if samples:
            yield Family(metric, samples)
