"""The worker: one process that does the background jobs in threads."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import celery.signals
from celery import Celery

from taskboard.agents import Agent
from taskboard.board import Board, NotFound
from taskboard.database import open_pool
from taskboard.jobs import NOTIFY, PREPARE, QUEUE, create_celery
from taskboard.settings import SERVICE, Settings
from taskboard.task import Conflict
from watchkeeper.instrument import Instrumentation, PageServer

log = logging.getLogger(__name__)

CONCURRENCY = 2
DATABASE_CONNECTIONS = 2

PLANNING_SECONDS = 0.1
"""How long the planning service takes that estimates a task; here it is played by waiting."""

MAIL_SECONDS = 0.1
"""How long the mail server takes that tells of a finished task; here it is played by waiting."""


def work(instance: int, host: str, port: int, settings: Settings) -> None:
    """Do jobs until SIGTERM, which lets the jobs in hand end first.

    Args:
        instance: from 1; makes the worker's name.
        host: where the operational pages are served.
        port: the same.
        settings: the environment's.
    """
    logging.captureWarnings(capture=True)  # Celery warns, say of being root, on standard error
    instrumentation = Instrumentation(SERVICE)
    instrumentation.celery.connect(celery.signals)
    queue = create_celery(settings.redis_url)
    listening = _Listening()
    with ExitStack() as closing:
        boards = {}
        for agent in Agent:
            pool = open_pool(settings.database_url, agent, "worker", maximum=DATABASE_CONNECTIONS)
            closing.callback(pool.close)
            boards[agent] = Board(agent, pool, instrumentation)
        add_jobs(queue, boards)
        if settings.faults_allowed:
            from taskboard import faults  # noqa: PLC0415  # only where breaking things is wanted

            faults.add_jobs(queue, settings.redis_url)
        server = PageServer(instrumentation.pages(listening.problems), host=host, port=port)
        closing.callback(server.close)
        _run_celery(queue, instance)


def add_jobs(queue: Celery, boards: dict[Agent, Board]) -> None:
    """Give the jobs their work. Each may run twice for one task: the second time changes nothing
    that matters.
    """

    def prepare(agent: str, task_id: str) -> None:
        time.sleep(PLANNING_SECONDS)
        minutes = 15 + int(task_id[:2], 16) % 8 * 15
        try:
            boards[Agent(agent)].estimate(UUID(task_id), minutes)
        except (NotFound, Conflict) as moved_on:
            log.debug("not estimated: %s", moved_on)  # handed over or done in the meantime

    def notify(agent: str, task_id: str) -> None:
        time.sleep(MAIL_SECONDS)
        log.debug("told of %s at %s", task_id, agent)

    queue.task(name=PREPARE, shared=False)(prepare)
    queue.task(name=NOTIFY, shared=False)(notify)


class _Listening:
    """Whether the worker takes jobs from the queue."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        celery.signals.worker_ready.connect(self._on_ready, weak=False)
        celery.signals.worker_shutting_down.connect(self._on_stopping, weak=False)

    def problems(self) -> dict[str, str]:
        """Return why it does not, or nothing."""
        return {} if self._ready.is_set() else {"queue": "not listening to the queue"}

    def _on_ready(self, **_: Any) -> None:
        self._ready.set()

    def _on_stopping(self, **_: Any) -> None:
        self._ready.clear()


def _run_celery(queue: Celery, instance: int) -> None:
    # Connecting to this signal is how Celery is told to leave logging alone.
    celery.signals.setup_logging.connect(_keep_logging, weak=False)
    worker = queue.Worker(
        hostname=f"worker-{instance}@taskboard",
        pool="threads",
        concurrency=CONCURRENCY,
        queues=[QUEUE],
        quiet=True,
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    raise SystemExit(worker.exitcode)


def _keep_logging(**_: Any) -> None:
    for told_for_every_job in ("celery.app.trace", "celery.worker.strategy"):
        logging.getLogger(told_for_every_job).setLevel(logging.WARNING)
