"""Celery queues on a Redis-compatible broker: what the broker holds, and what workers tell.

Workers' own events get lost and may be switched off; what waits on the broker is exact. So they are
two sources, and where they disagree that is told.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Unpack

from agent.broker import Broker, BrokerPlace, number
from agent.celery.events import Events
from agent.celery.gap import EventGap
from agent.celery.messages import (
    CONTROL_CHANNEL,
    EVENT_CHANNELS,
    MESSAGE_TO_NOBODY,
    PRIORITY_STEPS,
    UNACKNOWLEDGED,
    UNACKNOWLEDGED_SINCE,
    keys_of,
    oldest_age_seconds,
)
from agent.collector import CollectionFailed
from agent.family import Family, single
from agent.queue_state import QueueState, families_of
from watchkeeper.catalogue import celery, tasks
from watchkeeper.errors import UpstreamError


class CeleryCollector:
    """Depth, oldest age, what is under way, workers, and their events.

    Args:
        key_prefix: Kombu's ``global_keyprefix``.
        queues: names of the queues.
        events: whether to overhear workers' events.
        place: of the broker.
    """

    def __init__(
        self,
        *,
        key_prefix: str,
        queues: Sequence[str],
        events: bool = True,
        **place: Unpack[BrokerPlace],
    ) -> None:
        self._broker = Broker(**place)
        self._queues = tuple(queues)
        self._keys = [key for queue in queues for key in keys_of(f"{key_prefix}{queue}")]
        self._prefix = key_prefix
        self._control = key_prefix + CONTROL_CHANNEL.format(db=place["db"])
        channels = key_prefix + EVENT_CHANNELS.format(db=place["db"])
        self._name = f"{self._broker.name} {key_prefix}".rstrip()
        default_queue = queues[0] if len(queues) == 1 else ""
        self._events = None
        if events:
            self._events = Events(self._broker, self._name, channels, default_queue)
        self._gap = EventGap()
        self._has_seen_workers = False

    def collect(self) -> Iterator[Family]:
        """Return what waits on the broker now, and what its workers told.

        Raises:
            CollectionFailed: the broker cannot be reached or will not say. Nothing is told then:
                a queue that cannot be seen is not an empty one. Or the events were lost; then
                what waits is told, since that does not depend on them.
        """
        try:
            states = self._states(time.time())
        except UpstreamError as error:
            self.close()
            raise CollectionFailed(str(error), reason=error.reason) from None
        families = [*families_of(states), *self._exporters_names(states)]
        try:
            if self._events is not None:
                self._events.read()
        except UpstreamError as error:
            raise CollectionFailed(str(error), reason=error.reason, families=families) from None
        yield from families
        if self._events is not None and self._events.is_allowed:
            depths = {state.queue: state.depth for state in states}
            gap = self._gap.look(depths, self._events.taken)
            yield single(tasks.EVENT_GAP, gap, (self._name,))
            yield from self._events.families()

    def _states(self, now: float) -> list[QueueState]:
        lengths = self._broker.ask(*[("LLEN", key) for key in self._keys])
        oldest = self._broker.ask(*[("LINDEX", key, "-1") for key in self._keys])
        states = []
        steps = len(PRIORITY_STEPS)
        for at, queue in enumerate(self._queues):
            mine = slice(at * steps, (at + 1) * steps)
            messages = [message for message in oldest[mine] if isinstance(message, bytes)]
            states.append(
                QueueState(
                    queue=queue,
                    depth=sum(map(number, lengths[mine])),
                    oldest_age_seconds=oldest_age_seconds(messages, now),
                )
            )
        return states if len(states) != 1 else [self._with_workers(states[0], now)]

    def _with_workers(self, state: QueueState, now: float) -> QueueState:
        """Add what the broker knows of all queues together, and so of one only when it is one."""
        workers = self._count_workers()
        in_flight, oldest = self._broker.try_to_ask(
            ("HLEN", self._prefix + UNACKNOWLEDGED),
            ("ZRANGE", self._prefix + UNACKNOWLEDGED_SINCE, "0", "0", "WITHSCORES"),
        )
        if not isinstance(in_flight, int) or not isinstance(oldest, list):
            return replace(state, workers=workers)  # an ACL forbids it
        taken_at = float(oldest[1]) if oldest else now
        return replace(
            state,
            in_flight=in_flight,
            oldest_in_flight_seconds=now - taken_at,
            stuck=in_flight if workers == 0 else (None if workers is None else 0),
            workers=workers,
        )

    def _count_workers(self) -> int | None:
        """Return how many workers are connected, or None where the broker cannot tell.

        Publishing tells the number of receivers. The message is addressed to nobody, so that each
        worker drops it; a worker that was killed is gone as soon as its connection is.
        """
        (receivers,) = self._broker.try_to_ask(("PUBLISH", self._control, MESSAGE_TO_NOBODY))
        if not isinstance(receivers, int):
            return None  # an ACL forbids it
        self._has_seen_workers = self._has_seen_workers or receivers > 0
        # Until one was seen, none may also mean that remote control is switched off.
        return receivers if self._has_seen_workers else None

    def _exporters_names(self, states: Sequence[QueueState]) -> Iterator[Family]:
        yield Family(celery.QUEUE_LENGTH, [((state.queue,), state.depth) for state in states])
        known = [((state.queue,), state.workers) for state in states if state.workers is not None]
        yield Family(celery.WORKER_COUNT, known)

    def close(self) -> None:
        """Close the connections."""
        self._broker.close()
        if self._events is not None:
            self._events.close()
