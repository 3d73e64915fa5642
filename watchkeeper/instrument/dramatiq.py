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


class _Hooks:
    """dramatiq's hooks, of a middleware that stands last and therefore is told of ends first.

    Whether a run that raised will be tried again is known only when its message is put back or
    acknowledged, so the outcome is told then.
    """

    def __init__(self, metrics: TaskMetrics) -> None:
        self._metrics = metrics
        self._guarded = metrics.guard.around
        self._lock = threading.Lock()
        self._delayed: set[str] = set()  # held in this worker until they are due
        self._raised: set[str] = set()
        self._put_back: set[str] = set()

    def before_enqueue(self, broker: Any, message: Any, delay: int | None) -> None:
        del broker
        with self._guarded(GUARDED), self._lock:
            if message.message_id not in self._delayed:
                due_seconds = self._metrics.now_seconds() + (delay or 0) / 1000
                message.options[DUE_AT_OPTION] = due_seconds

    def after_enqueue(self, broker: Any, message: Any, delay: int | None) -> None:
        del broker, delay
        with self._guarded(GUARDED), self._lock:
            if message.message_id in self._delayed:
                self._delayed.discard(message.message_id)  # the same task, now that it is due
            elif message.options.get("retries"):
                self._put_back.add(message.message_id)
            else:
                self._metrics.created(message.queue_name.removesuffix(".DQ"), message.actor_name)

    def before_delay_message(self, broker: Any, message: Any) -> None:
        del broker
        with self._lock:
            self._delayed.add(message.message_id)

    def before_process_message(self, broker: Any, message: Any) -> None:
        del broker
        with self._guarded(GUARDED):
            due_seconds = message.options.get(DUE_AT_OPTION)
            self._metrics.began(
                message.message_id, message.queue_name, message.actor_name, due_seconds
            )

    def after_process_message(
        self, broker: Any, message: Any, *, result: Any = None, exception: Any = None
    ) -> None:
        del broker, result
        if exception is not None:
            with self._lock:
                self._raised.add(message.message_id)

    def after_skip_message(self, broker: Any, message: Any) -> None:
        del broker
        with self._guarded(GUARDED):
            self._metrics.ended(message.message_id, "revoked")

    def after_ack(self, broker: Any, message: Any) -> None:
        del broker
        raised, put_back = self._verdict(message.message_id)
        with self._guarded(GUARDED):
            failed: Outcome = "retried" if put_back else "failed"
            self._metrics.ended(message.message_id, failed if raised else "succeeded")

    def after_nack(self, broker: Any, message: Any) -> None:
        del broker
        self._verdict(message.message_id)
        with self._guarded(GUARDED):
            self._metrics.ended(message.message_id, "failed")
            self._metrics.dead_lettered(message.queue_name, message.actor_name)

    def after_worker_boot(self, broker: Any, worker: Any) -> None:
        del broker
        with self._guarded(GUARDED):
            self._metrics.has_slots(worker.worker_threads)

    def _verdict(self, message_id: str) -> tuple[bool, bool]:
        with self._lock:
            verdict = (message_id in self._raised, message_id in self._put_back)
            self._raised.discard(message_id)
            self._put_back.discard(message_id)
        return verdict
