"""RQ's queues, read from its keys: the broker knows of everything, also of workers' deaths."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Unpack

from agent.broker import Broker, BrokerPlace, number, texts
from agent.collector import CollectionFailed
from agent.family import Family
from agent.queue_state import QueueState, families_of
from agent.resp_answers import Answer
from watchkeeper.errors import UpstreamError

MOST_QUEUES = 100
"""Queues told of when none are named; RQ never forgets a queue that was once used."""

MOST_WORKERS = 500
"""Workers of a queue that are asked for their state."""


class RqCollector:
    """Depth, oldest age, registries and workers of each queue.

    Args:
        queues: their names; none for all that RQ knows.
        place: of the broker.
    """

    def __init__(
        self,
        *,
        queues: Sequence[str],
        **place: Unpack[BrokerPlace],
    ) -> None:
        self._broker = Broker(**place)
        self._queues = tuple(queues)

    def collect(self) -> Iterator[Family]:
        """Return what waits on the broker now.

        Raises:
            CollectionFailed: the broker cannot be reached or will not say. Nothing is told then.
        """
        try:
            queues = self._queues or self._known_queues()
            states = [self._state_of(queue, time.time()) for queue in queues]
        except UpstreamError as error:
            raise CollectionFailed(str(error), reason=error.reason) from None
        yield from families_of(states)

    def _known_queues(self) -> list[str]:
        (answer,) = self._broker.ask(("SMEMBERS", "rq:queues"))
        return sorted(key.removeprefix("rq:queue:") for key in texts(answer))[:MOST_QUEUES]

    def _state_of(self, queue: str, now: float) -> QueueState:
        depth, oldest, scheduled, started, overdue, first, failed, workers = self._broker.ask(
            ("LLEN", f"rq:queue:{queue}"),
            ("LINDEX", f"rq:queue:{queue}", "0"),
            ("ZCARD", f"rq:scheduled:{queue}"),
            ("ZCARD", f"rq:wip:{queue}"),
            # The score is until when its worker promised to be heard of again.
            ("ZCOUNT", f"rq:wip:{queue}", "-inf", str(now)),
            ("ZRANGE", f"rq:wip:{queue}", "0", str(MOST_WORKERS)),
            ("ZCARD", f"rq:failed:{queue}"),
            ("SMEMBERS", f"rq:workers:{queue}"),
        )
        working = self._workers(texts(workers)[:MOST_WORKERS])
        return QueueState(
            queue=queue,
            depth=number(depth),
            oldest_age_seconds=self._age_seconds(oldest, now),
            delayed=number(scheduled),
            in_flight=number(started),
            oldest_in_flight_seconds=self._oldest_run_seconds(texts(first), now),
            stuck=number(overdue),
            dead_letters=number(failed),
            workers=len(working),
            busy_workers=working.count("busy"),
        )

    def _age_seconds(self, job: Answer, now: float) -> float | None:
        if not isinstance(job, bytes):
            return 0.0
        key = f"rq:job:{job.decode('utf-8', 'replace')}"
        (enqueued_at,) = self._broker.ask(("HGET", key, "enqueued_at"))
        moment = unix_seconds(enqueued_at)
        return None if moment is None else now - moment

    def _oldest_run_seconds(self, executions: Sequence[str], now: float) -> float:
        """Return the longest run's age; an execution is named job:execution since RQ 2."""
        jobs = [execution.partition(":")[0] for execution in executions]
        answers = self._broker.ask(*[("HGET", f"rq:job:{job}", "started_at") for job in jobs])
        starts = [moment for answer in answers if (moment := unix_seconds(answer)) is not None]
        return now - min(starts) if starts else 0.0

    def _workers(self, keys: Sequence[str]) -> list[str]:
        """Return the states of the workers alive: a dead one's key expires by itself."""
        answers = self._broker.ask(*[("HGET", key, "state") for key in keys])
        return [answer.decode("latin-1") for answer in answers if isinstance(answer, bytes)]

    def close(self) -> None:
        """Close the connection."""
        self._broker.close()


def unix_seconds(text: Answer) -> float | None:
    """Return RQ's spelling of a moment (ISO 8601 with Z) as Unix time, None for anything else."""
    if not isinstance(text, bytes):
        return None
    try:
        return datetime.fromisoformat(text.decode("ascii")).timestamp()
    except ValueError:
        return None
