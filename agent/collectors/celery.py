"""Celery queues on a Redis-compatible broker, read from the broker itself.

Workers' own events get lost and may be switched off; what waits on the broker is exact.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from agent.collector import CollectionFailed
from agent.family import Family, Sample, single
from agent.resp import Answer, CommandRefused, RedisConnection
from watchkeeper.catalogue import tasks
from watchkeeper.errors import Reason, UpstreamError

PRIORITY_STEPS = (0, 3, 6, 9)
PRIORITY_SEPARATOR = "\x06\x16"
CONTROL_CHANNEL = "/{db}.celery.pidbox"
"""Kombu's Redis transport: a list for each priority step, 0 without a suffix; and the channel that
every worker with remote control subscribes to."""

PUBLISHED_AT = "watchkeeper_published_at"
"""Header that ``watchkeeper.instrument`` adds to each message: Unix seconds."""


class CeleryCollector:
    """Depth and oldest age of each queue, and how many workers there are.

    Args:
        host: of the broker; so are the next five.
        port: TCP port.
        user: ACL user, or None.
        password: empty for none.
        db: database of the queues.
        key_prefix: Kombu's ``global_keyprefix``.
        queues: names of the queues.
        timeout_seconds: of each answer.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        user: str | None,
        password: str,
        db: int,
        key_prefix: str,
        queues: Sequence[str],
        timeout_seconds: float = 2.0,
    ) -> None:
        self._address = (host, port)
        self._login: dict[str, Any] = {"user": user, "password": password, "db": db}
        self._timeout_seconds = timeout_seconds
        self._queues = tuple(queues)
        self._keys = {queue: keys_of(f"{key_prefix}{queue}") for queue in queues}
        self._channel = key_prefix + CONTROL_CHANNEL.format(db=db)
        self._connection: RedisConnection | None = None
        self._has_seen_workers = False

    def collect(self) -> Iterator[Family]:
        """Return what waits on the broker now.

        Raises:
            CollectionFailed: the broker cannot be reached or will not say. Nothing is told then:
                a queue that cannot be seen is not an empty one.
        """
        try:
            connection = self._connected()
            lengths = connection.call_many(*[("LLEN", key) for key in self._every_key()])
            oldest = connection.call_many(*[("LINDEX", key, "-1") for key in self._every_key()])
            workers = self._count_workers(connection)
            yield from self._families(_checked(lengths), _checked(oldest), workers)
        except UpstreamError as error:
            self.close()
            raise CollectionFailed(str(error), reason=error.reason) from None

    def _connected(self) -> RedisConnection:
        if self._connection is None:
            host, port = self._address
            self._connection = RedisConnection(
                host, port, timeout_seconds=self._timeout_seconds, **self._login
            )
        return self._connection

    def _every_key(self) -> list[str]:
        return [key for queue in self._queues for key in self._keys[queue]]

    def _families(
        self, lengths: Sequence[Answer], oldest: Sequence[Answer], workers: int | None
    ) -> Iterator[Family]:
        now = time.time()
        depths: list[Sample] = []
        ages: list[Sample] = []
        steps = len(PRIORITY_STEPS)
        for at, queue in enumerate(self._queues):
            mine = slice(at * steps, (at + 1) * steps)
            depths.append(((queue,), sum(_integer(length) for length in lengths[mine])))
            age = oldest_age_seconds([m for m in oldest[mine] if isinstance(m, bytes)], now)
            if age is not None:
                ages.append(((queue,), age))
        yield Family(tasks.QUEUE_DEPTH, depths)
        yield Family(tasks.CELERY_QUEUE_LENGTH, [((queue,), n) for (queue,), n in depths])
        yield Family(tasks.OLDEST_AGE, ages)
        if workers is not None and len(self._queues) == 1:
            # Which worker listens to which of several queues, the broker does not know.
            yield single(tasks.WORKERS, workers, (self._queues[0],))

    def _count_workers(self, connection: RedisConnection) -> int | None:
        """Return how many workers are connected, or None where the broker cannot tell.

        Publishing tells the number of receivers. The message is addressed to nobody, so that each
        worker drops it; a worker that was killed is gone as soon as its connection is.
        """
        receivers = connection.call_many(("PUBLISH", self._channel, MESSAGE_TO_NOBODY))[0]
        if not isinstance(receivers, int):
            return None  # an ACL forbids it
        self._has_seen_workers = self._has_seen_workers or receivers > 0
        # Until one was seen, none may also mean that remote control is switched off.
        return receivers if self._has_seen_workers else None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def keys_of(queue: str) -> list[str]:
    """Return the lists a queue is kept in, most urgent first."""
    return [f"{queue}{PRIORITY_SEPARATOR}{step}" if step else queue for step in PRIORITY_STEPS]


def oldest_age_seconds(messages: Sequence[bytes], now: float) -> float | None:
    """Return the age of the oldest of ``messages`` (one a priority step) at Unix time ``now``.

    0 when there is none; None when one does not say when it was published. A clock that runs ahead
    of ours gives a negative age, which is told as it is.
    """
    published = [_published_at(message) for message in messages]
    if any(moment is None for moment in published):
        return None
    return now - min(moment for moment in published if moment is not None) if published else 0.0


def _published_at(message: bytes) -> float | None:
    try:
        return float(json.loads(message)["headers"][PUBLISHED_AT])
    except (ValueError, TypeError, LookupError):
        return None


def _checked(answers: Sequence[Answer | CommandRefused]) -> list[Answer]:
    checked: list[Answer] = []
    for answer in answers:
        if isinstance(answer, CommandRefused):
            raise answer
        checked.append(answer)
    return checked


def _integer(answer: Answer) -> int:
    if not isinstance(answer, int):
        raise UpstreamError("LLEN is not a number", reason=Reason.BAD_ANSWER)
    return answer


def _message_to_nobody() -> str:
    body = {"method": "ping", "arguments": {}, "destination": ["nobody"]}
    return json.dumps(
        {
            "body": base64.b64encode(json.dumps(body).encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {},
            "properties": {
                "body_encoding": "base64",
                "delivery_info": {"exchange": "celery.pidbox", "routing_key": ""},
                "delivery_mode": 1,
                "delivery_tag": "watchkeeper",
                "priority": 0,
            },
        }
    )


MESSAGE_TO_NOBODY = _message_to_nobody()
"""A remote-control message as Kombu writes it, for a worker name that nobody has."""
