"""RabbitMQ through its management API, under the names of its own Prometheus plugin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from agent.collector import CollectionFailed
from agent.family import Family, LabelValues, Sample, single
from agent.queue_state import QueueState, families_of
from agent.rabbitmq.api import ManagementApi
from agent.rabbitmq.queues import Queues, parse_name
from watchkeeper.catalogue import Metric, celery, rabbitmq
from watchkeeper.errors import Reason, UpstreamError

MILLISECONDS = 1e-3

OVERVIEW = (
    "/api/overview?columns=rabbitmq_version,erlang_version,cluster_name,node,object_totals,"
    "message_stats"
)
NODE = "/api/nodes/{node}?columns=" + ",".join((*rabbitmq.FROM_NODE, "uptime"))

DELAYED, DEAD = ".DQ", ".XQ"
"""dramatiq's queues beside a queue: messages not due yet, and those given up on."""


class RabbitmqCollector:
    """One node, the totals of its cluster, and its fullest queues.

    Args:
        url: of the management API.
        user: of RabbitMQ, with the tag ``monitoring``.
        password: of the user.
        certificates: file with the authorities to trust; empty for the system's.
        queues: how many to tell of, the fullest ones.
        task_queues: those that hold tasks of Celery or dramatiq, told of as such, too, however
            full: ``name`` in the default virtual host, or ``vhost/name``.
        timeout_seconds: of each answer.
    """

    def __init__(
        self,
        *,
        url: str,
        user: str,
        password: str,
        queues: int,
        task_queues: Sequence[str],
        certificates: str = "",
        timeout_seconds: float = 2.0,
    ) -> None:
        self._api = ManagementApi(
            url=url,
            user=user,
            password=password,
            certificates=certificates,
            timeout_seconds=timeout_seconds,
        )
        self._server = self._api.name
        self._limit = queues
        self._task_queues = {written: parse_name(written) for written in task_queues}

    def collect(self) -> Iterator[Family]:
        """Return what the server tells now.

        Raises:
            CollectionFailed: with ``rabbitmq_up 0``: it cannot be reached or will not say.
        """
        try:
            families = list(self._families())
        except UpstreamError as error:
            raise CollectionFailed(
                str(error), reason=error.reason, families=self.when_silent()
            ) from None
        yield single(rabbitmq.UP, 1, (self._server,))
        yield from families

    def _families(self) -> Iterator[Family]:
        try:
            overview = self._api.get(OVERVIEW)
            node = _parts(self._api.get(NODE.format(node=quote(overview["node"], safe=""))))
            queues = Queues(self._api, self._limit)
            yield from self._node_families(overview, node)
            yield from self._queue_families(queues.fullest)
            yield from self._task_families(queues)
        except (LookupError, TypeError, AttributeError) as error:
            message = f"{self._server} answered with something else: {error!r}"
            raise UpstreamError(message, reason=Reason.BAD_ANSWER) from None

    def _node_families(
        self, overview: Mapping[str, Any], node: Mapping[str, Any]
    ) -> Iterator[Family]:
        label = (self._server,)
        versions = (overview["rabbitmq_version"], overview["erlang_version"])
        yield single(rabbitmq.BUILD_INFO, 1, (*label, *versions))
        identity = (overview["node"], overview["cluster_name"])
        yield single(rabbitmq.IDENTITY_INFO, 1, (*label, *identity))
        yield from _by_table(rabbitmq.FROM_TOTALS, _parts(overview.get("object_totals")), label)
        yield from _by_table(rabbitmq.FROM_MESSAGES, _parts(overview.get("message_stats")), label)
        yield from _by_table(rabbitmq.FROM_NODE, node, label)
        if "uptime" in node:
            yield single(rabbitmq.UPTIME, node["uptime"] * MILLISECONDS, label)

    def _queue_families(self, queues: Sequence[Mapping[str, Any]]) -> Iterator[Family]:
        for part, metric in rabbitmq.FROM_QUEUE.items():
            samples: list[Sample] = [
                ((self._server, queue["vhost"], queue["name"]), number)
                for queue in queues
                if (number := _number(queue.get(part))) is not None
            ]
            yield Family(metric, samples)

    def _task_families(self, queues: Queues) -> Iterator[Family]:
        found = (_state(written, place, queues) for written, place in self._task_queues.items())
        states = [state for state in found if state is not None]
        yield from families_of(states)
        lengths: list[Sample] = [((state.queue,), state.depth) for state in states]
        consumers: list[Sample] = [((state.queue,), state.workers or 0) for state in states]
        yield Family(celery.QUEUE_LENGTH, lengths)
        yield Family(celery.CONSUMER_COUNT, consumers)

    def when_silent(self) -> list[Family]:
        """Return ``rabbitmq_up 0``."""
        return [single(rabbitmq.UP, 0, (self._server,))]

    def close(self) -> None:
        """Close the connection."""
        self._api.close()


def _by_table(
    table: Mapping[str, Metric], parts: Mapping[str, Any], labels: LabelValues
) -> Iterator[Family]:
    for part, metric in table.items():
        number = _number(parts.get(part))
        if number is not None:
            yield single(metric, number, labels)


def _parts(value: object) -> Mapping[str, Any]:
    """Return statistics; right after a start there are none, spelled as nothing or as a list."""
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    """Return a number or a state; None for what is unknown, such as a rate of no messages."""
    return value if isinstance(value, int | float) else None


def _state(written: str, place: tuple[str, str], queues: Queues) -> QueueState | None:
    """Return what is known of a queue of tasks, None where it is not there or has just begun."""
    vhost, name = place
    queue = queues.find(vhost, name)
    if queue is None or "messages_ready" not in queue:
        return None
    delayed = queues.find(vhost, name + DELAYED) or {}
    dead = queues.find(vhost, name + DEAD) or {}
    return QueueState(
        queue=written,
        depth=queue["messages_ready"],
        in_flight=queue["messages_unacknowledged"],
        delayed=delayed.get("messages"),
        dead_letters=dead.get("messages"),
        workers=queue["consumers"],
    )
