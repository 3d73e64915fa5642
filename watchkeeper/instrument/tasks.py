"""Celery tasks: created, started, finished by outcome, retried; how long they waited and ran.

Counts what one process does, so a worker must run as one process (``--pool threads``, ``solo`` or
``gevent``) to be seen whole. The queue's depth and age come from the broker, not from here: lost
messages must never look like health.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter

from watchkeeper.catalogue import tasks
from watchkeeper.instrument.buckets import TASK_SECONDS
from watchkeeper.instrument.guard import Guard
from watchkeeper.instrument.interval import between_clocks

PUBLISHED_AT_HEADER = "watchkeeper_published_at"
"""Message header: when the task was put on the queue, Unix seconds as a float."""

UNREGISTERED = "unregistered"
"""The ``task`` of messages no worker knows, so that strangers' names add no series."""

OUTCOME_OF_STATE = {
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
    "RETRY": "retried",
    "REJECTED": "rejected",
    "IGNORED": "succeeded",
}
"""Celery's task states at the end of a run; a run that ignores its result did what it meant to."""


class Signals(Protocol):
    """The part of the module ``celery.signals`` used here."""

    before_task_publish: Any
    task_prerun: Any
    task_postrun: Any
    task_revoked: Any
    task_rejected: Any
    task_unknown: Any


@dataclass(frozen=True, slots=True)
class _Run:
    queue: str
    started_seconds: float


class TaskMetrics:
    """Listens to Celery's signals."""

    def __init__(
        self,
        service: str,
        registry: CollectorRegistry,
        guard: Guard,
        skew: Counter,
        now_seconds: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self._guard = guard
        self._skew = skew.labels(service, "wait")
        self._now_seconds = now_seconds
        self._runs: dict[str, _Run] = {}
        self._lock = threading.Lock()
        self._created = tasks.CREATED.counter(registry)
        self._started = tasks.STARTED.counter(registry)
        self._finished = tasks.FINISHED.counter(registry)
        self._retried = tasks.RETRIED.counter(registry)
        self._in_flight = tasks.IN_FLIGHT.gauge(registry)
        self._wait = tasks.WAIT.histogram(registry, TASK_SECONDS)
        self._run = tasks.RUN.histogram(registry, TASK_SECONDS)

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
        **_: Any,
    ) -> None:
        """Stamp a message with its time; count the task unless it is a retry of one."""
        with self._guard.around("tasks"):
            if headers is None:
                return
            headers[PUBLISHED_AT_HEADER] = self._now_seconds()
            if not headers.get("retries"):
                self._created.labels(self._service, routing_key or "", sender).inc()

    def on_start(self, task_id: str, task: Any, **_: Any) -> None:
        """Note the start of a run and how long the task waited for it."""
        with self._guard.around("tasks"):
            queue = _queue_of(task.request)
            with self._lock:
                self._runs[task_id] = _Run(queue, time.perf_counter())
            self._started.labels(self._service, queue, task.name).inc()
            self._in_flight.labels(self._service, queue).inc()
            self._observe_wait(queue, task)

    def on_end(self, task_id: str, task: Any, state: str | None = None, **_: Any) -> None:
        """Note the end of a run by the state it left the task in."""
        with self._guard.around("tasks"):
            with self._lock:
                run = self._runs.pop(task_id, None)
            if run is None:
                return
            self._in_flight.labels(self._service, run.queue).dec()
            outcome = OUTCOME_OF_STATE.get(state or "", "failed")
            labels = (self._service, run.queue, task.name)
            took_seconds = time.perf_counter() - run.started_seconds
            self._run.labels(*labels, outcome).observe(took_seconds)
            if outcome == "retried":
                self._retried.labels(*labels).inc()
            else:
                self._finished.labels(*labels, outcome).inc()

    def on_revoked(self, sender: Any, request: Any, **_: Any) -> None:
        """Count a task that was cancelled or expired before or while it ran."""
        with self._guard.around("tasks"):
            labels = (self._service, _queue_of(request), sender.name)
            self._finished.labels(*labels, "revoked").inc()

    def on_refused(self, message: Any = None, **_: Any) -> None:
        """Count a message that no task of this worker fits."""
        with self._guard.around("tasks"):
            info = getattr(message, "delivery_info", None) or {}
            queue = str(info.get("routing_key", ""))
            self._finished.labels(self._service, queue, UNREGISTERED, "rejected").inc()

    def _receivers(self, signals: Signals) -> list[tuple[Any, Callable[..., None]]]:
        return [
            (signals.before_task_publish, self.on_publish),
            (signals.task_prerun, self.on_start),
            (signals.task_postrun, self.on_end),
            (signals.task_revoked, self.on_revoked),
            (signals.task_rejected, self.on_refused),
            (signals.task_unknown, self.on_refused),
        ]

    def _observe_wait(self, queue: str, task: Any) -> None:
        published = getattr(task.request, PUBLISHED_AT_HEADER, None)
        if published is None:
            return
        due_seconds = due_at(float(published), getattr(task.request, "eta", None))
        waited_seconds = between_clocks(due_seconds, self._now_seconds())
        if waited_seconds is None:
            self._skew.inc()
        else:
            self._wait.labels(self._service, queue, task.name).observe(waited_seconds)


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


def _queue_of(request: Any) -> str:
    info: Mapping[str, Any] = getattr(request, "delivery_info", None) or {}
    return str(info.get("routing_key") or "")
