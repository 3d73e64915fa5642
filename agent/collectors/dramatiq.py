"""dramatiq's queues on a Redis-compatible broker, read from its keys."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Unpack

from agent.broker import Broker, BrokerPlace, moment, number, texts
from agent.collector import CollectionFailed
from agent.family import Family
from agent.queue_state import QueueState, families_of
from agent.resp_answers import Answer
from watchkeeper.errors import UpstreamError

HEARTBEAT_TIMEOUT_SECONDS = 60.0
"""After which dramatiq gives a worker's messages to others: its DEFAULT_HEARTBEAT_TIMEOUT."""

MOST_DEAD_WORKERS = 500

DUE_AT = "watchkeeper_due_at"
"""Message option that ``watchkeeper.instrument`` adds: Unix seconds."""


class DramatiqCollector:
    """Depth, oldest age, delayed, in flight, stuck and dead letters of each queue.

    How many workers there are the broker cannot tell: publishers leave the same heartbeats.

    Args:
        namespace: ``namespace`` of the RedisBroker.
        queues: their names.
        place: of the broker.
    """

    def __init__(
        self,
        *,
        namespace: str,
        queues: Sequence[str],
        **place: Unpack[BrokerPlace],
    ) -> None:
        self._broker = Broker(**place)
        self._namespace = namespace
        self._queues = tuple(queues)

    def collect(self) -> Iterator[Family]:
        """Return what waits on the broker now.

        Raises:
            CollectionFailed: the broker cannot be reached or will not say. Nothing is told then.
        """
        try:
            now = time.time()
            dead = self._dead_workers(now)
            states = [self._state_of(queue, dead, now) for queue in self._queues]
        except UpstreamError as error:
            raise CollectionFailed(str(error), reason=error.reason) from None
        yield from families_of(states)

    def _dead_workers(self, now: float) -> list[str]:
        silent_since = str(int((now - HEARTBEAT_TIMEOUT_SECONDS) * 1000))
        key = f"{self._namespace}:__heartbeats__"
        limit = ("LIMIT", "0", str(MOST_DEAD_WORKERS))
        (answer,) = self._broker.ask(("ZRANGEBYSCORE", key, "-inf", silent_since, *limit))
        return texts(answer)

    def _state_of(self, queue: str, dead_workers: Sequence[str], now: float) -> QueueState:
        name = f"{self._namespace}:{queue}"
        depth, oldest, known, delayed, dead, *stuck = self._broker.ask(
            ("LLEN", name),
            ("LINDEX", name, "0"),
            ("HLEN", f"{name}.msgs"),
            ("HLEN", f"{name}.DQ.msgs"),
            ("ZCARD", f"{name}.XQ"),
            *[("SCARD", f"{self._namespace}:__acks__.{worker}.{queue}") for worker in dead_workers],
        )
        age_seconds = 0.0 if oldest is None else self._age_seconds(name, oldest, now)
        return QueueState(
            queue=queue,
            depth=number(depth),
            oldest_age_seconds=age_seconds,
            delayed=number(delayed),
            # Asked in one go but not in one instant: what was taken in between is not negative.
            in_flight=max(0, number(known) - number(depth)),
            stuck=sum(map(number, stuck)),
            dead_letters=number(dead),
        )

    def _age_seconds(self, name: str, message_id: Answer, now: float) -> float | None:
        if not isinstance(message_id, bytes):
            return None
        field = message_id.decode("utf-8", "replace")
        (message,) = self._broker.ask(("HGET", f"{name}.msgs", field))
        due_seconds = due_at(message)
        return None if due_seconds is None else now - due_seconds

    def close(self) -> None:
        """Close the connection."""
        self._broker.close()


def due_at(message: Answer) -> float | None:
    """Return the Unix time from which a message could have been worked on, or None.

    Our own stamp where there is one; else the time the message was made, by the publisher's clock,
    which for a retried message is that of its first try.
    """
    if not isinstance(message, bytes):
        return None
    try:
        content = json.loads(message)
        stamp = content["options"].get(DUE_AT)
        if stamp is not None:
            return moment(stamp)
        made_at_milliseconds = moment(content["message_timestamp"])
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return None if made_at_milliseconds is None else made_at_milliseconds / 1000
