"""RQ: one worker and one queue object at a time, wrapped where jobs begin and are made.

The worker's parent process is wrapped, so a job whose work horse is killed is counted, too.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from watchkeeper.instrument.tasks import GUARDED, Outcome, TaskMetrics

OUTCOME_OF_STATUS: Mapping[str, Outcome] = {
    "finished": "succeeded",
    "failed": "failed",
    "stopped": "revoked",
    "canceled": "revoked",
}
"""RQ's status of a job once its run is over; any other means that it waits for another try."""


class RqTasks:
    """Watches RQ's workers and queues."""

    def __init__(self, metrics: TaskMetrics) -> None:
        self._metrics = metrics
        self._guarded = metrics.guard.around

    def watch_worker(self, worker: Any) -> None:
        """Report what ``worker`` (any of ``rq.worker``) works on; call it before ``work()``."""
        execute = worker.execute_job

        @functools.wraps(execute)
        def watched(job: Any, queue: Any) -> Any:
            self._began(job)
            try:
                return execute(job, queue)
            finally:
                self._ended(job)

        worker.execute_job = watched
        self._metrics.has_slots(1)

    def watch_queue(self, queue: Any) -> None:
        """Count the jobs made with ``queue``, an ``rq.Queue``."""
        create = queue.create_job

        @functools.wraps(create)
        def watched(*args: Any, **kwargs: Any) -> Any:
            job = create(*args, **kwargs)
            with self._guarded(GUARDED):
                self._metrics.created(job.origin or queue.name, job.func_name)
            return job

        queue.create_job = watched

    def _began(self, job: Any) -> None:
        with self._guarded(GUARDED):
            # A job with a delay, of its own or of a retry, is enqueued when the delay is over.
            enqueued_at = job.enqueued_at
            due_seconds = None if enqueued_at is None else enqueued_at.timestamp()
            self._metrics.began(job.id, job.origin, job.func_name, due_seconds)

    def _ended(self, job: Any) -> None:
        with self._guarded(GUARDED):
            status = _status_of(job)
            # A job that keeps no result is deleted once it has succeeded.
            outcome = OUTCOME_OF_STATUS.get(status, "retried") if status else "succeeded"
            self._metrics.ended(job.id, outcome)
            if outcome == "failed":
                # It stays in the registry of failed jobs until somebody puts it back.
                self._metrics.dead_lettered(job.origin, job.func_name)


def _status_of(job: Any) -> str | None:
    status = job.connection.hget(job.key, "status")
    return status.decode() if isinstance(status, bytes) else status
