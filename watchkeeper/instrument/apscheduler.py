"""APScheduler 3, through its events: runs of schedules, and those that were left out."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime
from typing import Any, Protocol, TypeVar

from watchkeeper.instrument.tasks import GUARDED, Outcome, TaskMetrics

MOST_KEPT = 10_000
"""Names of jobs kept by their ids, and ends kept for beginnings still to be told of; one-off jobs
come and go without end."""

_Run = tuple[str, datetime]


class Events(Protocol):
    """The part of the module ``apscheduler.events`` used here."""

    EVENT_JOB_ADDED: int
    EVENT_JOB_SUBMITTED: int
    EVENT_JOB_EXECUTED: int
    EVENT_JOB_ERROR: int
    EVENT_JOB_MISSED: int
    EVENT_JOB_MAX_INSTANCES: int


class ApschedulerTasks:
    """Listens to schedulers."""

    def __init__(self, metrics: TaskMetrics) -> None:
        self._metrics = metrics

    def listen(self, scheduler: Any, events: Events, *, queue: str = "scheduler") -> None:
        """Report the jobs of ``scheduler``; call it before jobs are added.

        Args:
            scheduler: any scheduler of APScheduler 3.
            events: the module ``apscheduler.events``; passed, so that it is not needed here.
            queue: what to call the schedule; a label.
        """
        listener = _Listener(self._metrics, scheduler, events, queue)
        scheduler.add_listener(listener, listener.mask)


class _Listener:
    def __init__(self, metrics: TaskMetrics, scheduler: Any, events: Events, queue: str) -> None:
        self._metrics = metrics
        self._scheduler = scheduler
        self._queue = queue
        self._names: OrderedDict[str, str] = OrderedDict()
        self._begun: set[_Run] = set()
        self._ended_early: OrderedDict[_Run, Outcome] = OrderedDict()
        self._lock = threading.Lock()
        self._handlers = {
            events.EVENT_JOB_ADDED: self._added,
            events.EVENT_JOB_SUBMITTED: self._submitted,
            events.EVENT_JOB_EXECUTED: self._executed,
            events.EVENT_JOB_ERROR: self._raised,
            events.EVENT_JOB_MISSED: self._missed,
            events.EVENT_JOB_MAX_INSTANCES: self._still_running,
        }
        self.mask = sum(self._handlers)

    def __call__(self, event: Any) -> None:
        with self._metrics.guard.around(GUARDED):
            self._handlers[event.code](event)

    def _added(self, event: Any) -> None:
        self._name_of(event)

    def _submitted(self, event: Any) -> None:
        name = self._name_of(event)
        for due in event.scheduled_run_times:
            run = (event.job_id, due)
            self._metrics.created(self._queue, name)
            self._metrics.began(run, self._queue, name, due.timestamp())
            with self._lock:
                early = self._ended_early.pop(run, None)
                if early is None:
                    self._begun.add(run)
            if early is not None:
                self._metrics.ended(run, early)

    def _executed(self, event: Any) -> None:
        self._ended(event, "succeeded")

    def _raised(self, event: Any) -> None:
        self._ended(event, "failed")

    def _missed(self, event: Any) -> None:
        self._ended(event, "missed")
        self._metrics.missed(self._queue, self._name_of(event), "misfire")

    def _ended(self, event: Any, outcome: Outcome) -> None:
        """Note an end; of a short run the scheduler tells the end before the beginning."""
        run = (event.job_id, event.scheduled_run_time)
        with self._lock:
            is_early = run not in self._begun
            self._begun.discard(run)
            if is_early:
                _keep(self._ended_early, run, outcome)
        if not is_early:
            self._metrics.ended(run, outcome)

    def _still_running(self, event: Any) -> None:
        for _ in event.scheduled_run_times:
            self._metrics.missed(self._queue, self._name_of(event), "still_running")

    def _name_of(self, event: Any) -> str:
        """Return the job's name, which is its function's unless it was given one.

        Its id is no label: one-off jobs have random ones, and are forgotten by the scheduler when
        they are submitted.
        """
        with self._lock:
            name = self._names.get(event.job_id)
        if name is None:
            job = self._scheduler.get_job(event.job_id)
            name = str(job.name) if job is not None else ""
        with self._lock:
            _keep(self._names, event.job_id, name)
        return name


Key = TypeVar("Key")
Kept = TypeVar("Kept")


def _keep(newest: OrderedDict[Key, Kept], key: Key, what: Kept) -> None:
    newest[key] = what
    newest.move_to_end(key)
    if len(newest) > MOST_KEPT:
        newest.popitem(last=False)
