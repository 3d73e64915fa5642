"""dramatiq, as a middleware of its broker, in publishers and workers."""

from __future__ import annotations

import threading
from typing import Any

from watchkeeper.instrument.tasks import GUARDED, Outcome, TaskMetrics

DUE_AT_OPTION = "watchkeeper_due_at"
"""Message option: from when on a worker may begin, Unix seconds as a float."""


class DramatiqTasks:
    """Makes the middleware; ``broker.add_middleware(instrumentation.dramatiq.middleware(...))``."""

    def __init__(self, metrics: TaskMetrics) -> None:
        self._metrics = metrics

    def middleware(self, base: type) -> Any:
        """Return a middleware for one broker.

        Args:
            base: ``dramatiq.Middleware``; passed, so that dramatiq is not needed here.
        """
        made = type("WatchkeeperMiddleware", (_Hooks, base), {})
        return made(self._metrics)


class _Here(threading.local):
    """What the thread at hand is at; a worker's works on one message from its begin to its end."""

    raised = ""  # the message whose run raised
    put_back = ""  # the message that is to be tried again
    is_new = False  # whether what is enqueued is a task nobody has seen yet
    is_retry = False  # whether it is one that is to be tried again


class _Hooks:
    """dramatiq's hooks, of a middleware that stands last and therefore is told of ends first.

    Whether a run that raised will be tried again is known only when its message is put back or
    acknowledged, so the outcome is told then. By that time another thread may be at the next try.
    """

    def __init__(self, metrics: TaskMetrics) -> None:
        self._metrics = metrics
        self._guarded = metrics.guard.around
        self._here = _Here()
        self._lock = threading.Lock()
        self._delayed: set[str] = set()  # held in this worker until they are due

    def before_enqueue(self, broker: Any, message: Any, delay: int | None) -> None:
        # What is enqueued is decided before: right after, a consumer may hold it until it is due.
        del broker
        self._here.is_new = self._here.is_retry = False
        with self._guarded(GUARDED):
            if self._is_due(message.message_id):
                return
            due_seconds = self._metrics.now_seconds() + (delay or 0) / 1000
            message.options[DUE_AT_OPTION] = due_seconds
            self._here.is_retry = bool(message.options.get("retries"))
            self._here.is_new = not self._here.is_retry

    def _is_due(self, message_id: str) -> bool:
        """Return whether this is the same task, now that it is due; it is held no longer."""
        with self._lock:
            is_due = message_id in self._delayed
            self._delayed.discard(message_id)
        return is_due

    def after_enqueue(self, broker: Any, message: Any, delay: int | None) -> None:
        del broker, delay
        with self._guarded(GUARDED):
            if self._here.is_retry:
                self._here.put_back = message.message_id
            if self._here.is_new:
                self._metrics.created(message.queue_name.removesuffix(".DQ"), message.actor_name)

    def before_delay_message(self, broker: Any, message: Any) -> None:
        del broker
        with self._lock:
            self._delayed.add(message.message_id)

    def before_process_message(self, broker: Any, message: Any) -> None:
        del broker
        self._here.raised = self._here.put_back = ""
        with self._guarded(GUARDED):
            due_seconds = message.options.get(DUE_AT_OPTION)
            self._metrics.began(_run(message), message.queue_name, message.actor_name, due_seconds)

    def after_process_message(
        self, broker: Any, message: Any, *, result: Any = None, exception: Any = None
    ) -> None:
        del broker, result
        if exception is not None:
            self._here.raised = message.message_id

    def after_skip_message(self, broker: Any, message: Any) -> None:
        del broker
        with self._guarded(GUARDED):
            self._metrics.ended(_run(message), "revoked")

    def after_ack(self, broker: Any, message: Any) -> None:
        del broker
        with self._guarded(GUARDED):
            self._metrics.ended(_run(message), self._outcome(message.message_id))

    def _outcome(self, message_id: str) -> Outcome:
        if self._here.raised != message_id:
            return "succeeded"
        return "retried" if self._here.put_back == message_id else "failed"

    def after_nack(self, broker: Any, message: Any) -> None:
        del broker
        with self._guarded(GUARDED):
            self._metrics.ended(_run(message), "failed")
            self._metrics.dead_lettered(message.queue_name, message.actor_name)

    def after_worker_boot(self, broker: Any, worker: Any) -> None:
        del broker
        with self._guarded(GUARDED):
            self._metrics.has_slots(worker.worker_threads)


def _run(message: Any) -> tuple[str, int]:
    return (message.message_id, threading.get_ident())
