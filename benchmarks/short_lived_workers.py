"""Celery workers that come, do one task, and go or die: the events they would send."""

from __future__ import annotations

import threading
import uuid
from typing import Any

from celery import Celery

from benchmarks.pace import keep_pace

LEAVES_EVERY = 2
"""Of so many workers one says goodbye; the others are killed."""


class ShortLivedWorkers:
    """Sends the events of workers nobody met before, evenly over time, from a thread.

    Args:
        broker_port: of the Redis-compatible server on this machine.
        workers_per_second: how many come.
    """

    def __init__(self, broker_port: int, workers_per_second: float) -> None:
        self.sent = 0
        self._app = Celery(broker=f"redis://127.0.0.1:{broker_port}/0")
        self._workers_per_second = workers_per_second
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._send, name="workers", daemon=True)

    def start(self) -> None:
        """Let them come."""
        self._thread.start()

    def stop(self) -> None:
        """Let no more come."""
        self._ending.set()
        self._thread.join(10)

    def _send(self) -> None:
        with self._app.connection_for_write() as connection:
            keep_pace(lambda: self._live(connection), self._workers_per_second, self._ending)

    def _live(self, connection: Any) -> None:
        name = f"celery@worker-{uuid.uuid4()}"
        task = str(uuid.uuid4())
        events = self._app.events.Dispatcher(connection, hostname=name, enabled=True)
        events.send("worker-online", freq=2)
        events.send("task-received", uuid=task, name="soak.task")
        events.send("task-started", uuid=task)
        if self.sent % LEAVES_EVERY == 0:
            events.send("task-succeeded", uuid=task, runtime=0.01)
            events.send("worker-offline", freq=2)
        events.close()
        self.sent += 1
