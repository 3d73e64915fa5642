"""Celery, through its signals, in publishers and workers.

A prefork worker is several processes, of which each counts its own tasks: report them to one
aggregator (``multiprocess``), or run ``--pool threads``, ``solo`` or ``gevent``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from watchkeeper.instrument.celery_queues import QueueLabels
from watchkeeper.instrument.tasks import GUARDED, Outcome, TaskMetrics

PUBLISHED_AT_HEADER = "watchkeeper_published_at"
"""Message header: when the task was put on the queue, Unix seconds as a float."""

UNREGISTERED = "unregistered"
"""The ``task`` of messages no worker knows, so that strangers' names add no series."""

OUTCOME_OF_STATE: Mapping[str, Outcome] = {
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
    "RETRY": "retried",
    "REJECTED": "rejected",
    "IGNORED": "succeeded",
}
"""Celery's task states at the end of a run; a run that ignores its result did what it meant to."""

PREFORK = "celery.concurrency.prefork"
"""Module of the pool whose tasks run in children; each child is a slot of its own."""


class Signals(Protocol):
    """The part of the module ``celery.signals`` used here."""

    before_task_publish: Any
    task_prerun: Any
    task_postrun: Any
    task_revoked: Any
    task_rejected: Any
    task_unknown: Any
    worker_ready: Any
    worker_process_init: Any


class CeleryTasks:
    """Listens to Celery's signals."""

    def __init__(self, metrics: TaskMetrics) -> None:
        self._metrics = metrics
        self._guarded = metrics.guard.around
        self._queues = QueueLabels()

    def connect(self, signals: Signals) -> None:
        """Listen to ``celery.signals``; pass the module, so that Celery is not needed here."""
        for signal, receiver in self._receivers(signals):
            signal.connect(receiver, weak=False)

    def disconnect(self, signals: Signals) -> None:
        """Listen no longer."""
        for signal, receiver in self._receivers(signals):
            signal.disconnect(receiver)

    def on_publish(
        self,
        sender: str,
        headers: MutableMapping[str, Any] | None = None,
        routing_key: str | None = None,
        declare: Sequence[Any] | None = None,
        **_: Any,
    ) -> None:
        """Stamp a message with its time; count the task unless it is a retry of one."""
        with self._guarded(GUARDED):
            if headers is None:
                return
            headers[PUBLISHED_AT_HEADER] = self._metrics.now_seconds()
            if not headers.get("retries"):
                self._metrics.created(self._queues.of_published(routing_key, declare), sender)

    def on_start(self, task_id: str, task: Any, **_: Any) -> None:
        """Note the start of a run."""
        with self._guarded(GUARDED):
            published = getattr(task.request, PUBLISHED_AT_HEADER, None)
            eta = getattr(task.request, "eta", None)
            due_seconds = None if published is None else due_at(float(published), eta)
            queue = self._queue_of(task, task.request)
            self._metrics.began(task_id, queue, task.name, due_seconds)

    def on_end(self, task_id: str, task: Any, state: str | None = None, **_: Any) -> None:
        """Note the end of a run by the state it left the task in."""
        with self._guarded(GUARDED):
            outcome = OUTCOME_OF_STATE.get(state or "", "failed")
            self._metrics.ended(task_id, outcome)
            if outcome == "rejected":
                # Raised as Reject: the broker sets the message aside, or drops it where it cannot.
                self._metrics.dead_lettered(self._queue_of(task, task.request), task.name)

    def on_revoked(self, sender: Any, request: Any, **_: Any) -> None:
        """Count a task that was cancelled or expired before or while it ran."""
        with self._guarded(GUARDED):
            queue = self._queue_of(sender, request)
            self._metrics.ended_without_a_run(queue, sender.name, "revoked")

    def on_refused(self, sender: Any = None, message: Any = None, **_: Any) -> None:
        """Count a message that no task of this worker fits."""
        with self._guarded(GUARDED):
            info = getattr(message, "delivery_info", None)
            queue = self._queues.of_refused(getattr(sender, "app", None), info)
            self._metrics.ended_without_a_run(queue, UNREGISTERED, "rejected")

    def on_worker_ready(self, sender: Any, **_: Any) -> None:
        """Note how many tasks a worker that is one process can work on."""
        with self._guarded(GUARDED):
            worker = sender.controller
            if worker.pool_cls.__module__ != PREFORK:
                self._metrics.has_slots(int(worker.concurrency or 1))

    def on_child_ready(self, **_: Any) -> None:
        """Note the one slot of a prefork worker's child."""
        with self._guarded(GUARDED):
            self._metrics.has_slots(1)

    def _queue_of(self, task: Any, request: Any) -> str:
        info = getattr(request, "delivery_info", None)
        return self._queues.of_delivered(getattr(task, "app", None), info)

    def _receivers(self, signals: Signals) -> list[tuple[Any, Callable[..., None]]]:
        return [
            (signals.before_task_publish, self.on_publish),
            (signals.task_prerun, self.on_start),
            (signals.task_postrun, self.on_end),
            (signals.task_revoked, self.on_revoked),
            (signals.task_rejected, self.on_refused),
            (signals.task_unknown, self.on_refused),
            (signals.worker_ready, self.on_worker_ready),
            (signals.worker_process_init, self.on_child_ready),
        ]


def due_at(published_seconds: float, eta: str | datetime | None) -> float:
    """Return the Unix time from which a task could have begun: the later of publishing and ETA.

    Celery turns a countdown into an ETA, so both kinds of intended delay are left out of the wait.

    Args:
        published_seconds: Unix time of publishing.
        eta: Celery's own, ISO 8601; without a zone it is UTC.
    """
    if not eta:
        return published_seconds
    moment = datetime.fromisoformat(eta) if isinstance(eta, str) else eta
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(published_seconds, moment.timestamp())
