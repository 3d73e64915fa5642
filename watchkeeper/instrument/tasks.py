"""Tasks of any queue: created, started, finished by outcome, retried; how long they waited and ran.

One vocabulary; ``celery``, ``rq``, ``dramatiq`` and ``apscheduler`` beside this file translate into
it. It counts what one process does. The queue's depth and age come from the broker, not from here:
lost messages must never look like health.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter

from watchkeeper.catalogue import tasks
from watchkeeper.instrument.buckets import TASK_SECONDS
from watchkeeper.instrument.guard import Guard
from watchkeeper.instrument.interval import between_clocks
from watchkeeper.instrument.tracing import Exemplar, current_exemplar

Outcome = Literal["succeeded", "failed", "rejected", "revoked", "missed", "retried"]
Miss = Literal["misfire", "still_running"]

GUARDED = "tasks"
"""What the guard calls failures of these instruments."""


@dataclass(frozen=True, slots=True)
class _Run:
    queue: str
    task: str
    started_seconds: float
    trace: Exemplar | None


class TaskMetrics:
    """Where the hooks of every kind of queue report to.

    Args:
        service: the application's name.
        registry: where the families go.
        guard: contains what fails in here and in the hooks.
        skew: counts disagreeing clocks.
        now_seconds: Unix time.
        elapsed_seconds: monotonic time.
    """

    def __init__(
        self,
        service: str,
        registry: CollectorRegistry,
        guard: Guard,
        skew: Counter,
        now_seconds: Callable[[], float] = time.time,
        elapsed_seconds: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._service = service
        self.guard = guard
        self._skew = skew.labels(service, "wait")
        self.now_seconds = now_seconds
        self._elapsed_seconds = elapsed_seconds
        self._runs: dict[Hashable, _Run] = {}
        self._queues: set[str] = set()
        self._lock = threading.Lock()
        self._created = tasks.CREATED.counter(registry)
        self._started = tasks.STARTED.counter(registry)
        self._finished = tasks.FINISHED.counter(registry)
        self._retried = tasks.RETRIED.counter(registry)
        self._dead_lettered = tasks.DEAD_LETTERED.counter(registry)
        self._missed = tasks.MISSED_SCHEDULES.counter(registry)
        self._in_flight = tasks.IN_FLIGHT.gauge(registry)
        self._oldest = tasks.OLDEST_RUNNING.gauge(registry)
        self._slots = tasks.SLOTS.gauge(registry)
        self._wait = tasks.WAIT.histogram(registry, TASK_SECONDS)
        self._run = tasks.RUN.histogram(registry, TASK_SECONDS)

    def created(self, queue: str, task: str) -> None:
        """Count a task put on a queue for the first time."""
        self._created.labels(self._service, queue, task).inc()

    def began(self, run: Hashable, queue: str, task: str, due_seconds: float | None) -> None:
        """Note that a worker began a task, and how long the task waited for it.

        Args:
            run: tells this run from the others in progress.
            queue: where the task came from; a label.
            task: its name; a label.
            due_seconds: Unix time from which it could have begun, intended delay included; None
                when that is not known, and then no wait is made up.
        """
        trace = current_exemplar()
        with self._lock:
            self._runs[run] = _Run(queue, task, self._elapsed_seconds(), trace)
            self._watch(queue)
        self._started.labels(self._service, queue, task).inc()
        self._in_flight.labels(self._service, queue).inc()
        if due_seconds is None:
            return
        waited_seconds = between_clocks(due_seconds, self.now_seconds())
        if waited_seconds is None:
            self._skew.inc()
        else:
            self._wait.labels(self._service, queue, task).observe(waited_seconds, trace)

    def ended(self, run: Hashable, outcome: Outcome) -> None:
        """Note the end of a run; one that was never seen to begin changes nothing."""
        with self._lock:
            found = self._runs.pop(run, None)
        if found is None:
            return
        self._in_flight.labels(self._service, found.queue).dec()
        labels = (self._service, found.queue, found.task)
        took_seconds = self._elapsed_seconds() - found.started_seconds
        self._run.labels(*labels, outcome).observe(took_seconds, current_exemplar() or found.trace)
        if outcome == "retried":
            self._retried.labels(*labels).inc()
        else:
            self._finished.labels(*labels, outcome).inc()

    def ended_without_a_run(self, queue: str, task: str, outcome: Outcome) -> None:
        """Count a task that ended before any worker began it."""
        self._finished.labels(self._service, queue, task, outcome).inc()

    def dead_lettered(self, queue: str, task: str) -> None:
        """Count a task that was given up on and set aside."""
        self._dead_lettered.labels(self._service, queue, task).inc()

    def missed(self, queue: str, task: str, reason: Miss) -> None:
        """Count a run of a schedule that was left out."""
        self._missed.labels(self._service, queue, task, reason).inc()

    def has_slots(self, number: int) -> None:
        """Say how many tasks this process can work on at the same time."""
        self._slots.labels(self._service).set(number)

    def _watch(self, queue: str) -> None:
        """Export the age of the longest run of ``queue``, worked out when it is asked for.

        A task that hangs shows as a growing age while it hangs, not once it has ended.
        """
        if queue not in self._queues:
            self._queues.add(queue)
            gauge = self._oldest.labels(self._service, queue)
            gauge.set_function(lambda: self._oldest_seconds(queue))

    def _oldest_seconds(self, queue: str) -> float:
        with self._lock:
            starts: Iterable[float] = [
                run.started_seconds for run in self._runs.values() if run.queue == queue
            ]
        now = self._elapsed_seconds()
        return max((now - start for start in starts), default=0.0)
