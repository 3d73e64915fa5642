"""What neither the demo nor every machine has: how each piece is set up for an agent to tell of.

A piece is a context that yields what ``agent.yml`` says of it, or where else it is scraped.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import celery
import celery.signals
from celery.contrib.testing.worker import start_worker
from prometheus_client import CollectorRegistry, start_http_server

from tests.agent import groups, machine, probed_services
from tests.agent.authority import Authority
from tests.agent.postgres_server import PostgresServer, standby_of
from tests.agent.probed_services import Chain
from watchkeeper.catalogue import tasks
from watchkeeper.instrument.celery import CeleryTasks
from watchkeeper.instrument.guard import Guard
from watchkeeper.instrument.tasks import TaskMetrics


@dataclass(frozen=True)
class Piece:
    """What an agent is told of it in ``agent.yml``, and what is scraped beside the agent."""

    settings: dict[str, Any] = field(default_factory=dict)
    target: str = ""


@contextmanager
def whole_machine(directory: Path) -> Iterator[Piece]:
    """Swap, a disk at work, a file system, and a group that reaches its CPU limit."""
    paths = machine.build(directory)
    swap = "SwapTotal: 4096 kB\nSwapFree: 1024 kB\n"
    memory = directory / "proc/meminfo"
    memory.write_text(memory.read_text() + swap)
    for name, text in groups.unified("app").items():
        path = directory / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    with _at_work(directory):
        yield Piece({"host": paths})


@contextmanager
def _at_work(directory: Path) -> Iterator[None]:
    """Let the counters grow that a rate is taken of, as the kernel would."""
    is_over = threading.Event()

    def work() -> None:
        rounds = 0
        while not is_over.wait(0.5):
            rounds += 1
            _replace(
                directory / "sys/fs/cgroup/app/cpu.stat",
                f"usage_usec {rounds * 250_000}\nuser_usec 0\nsystem_usec 0\n"
                f"nr_periods {rounds * 5}\nnr_throttled {rounds * 2}\nthrottled_usec 0\n",
            )
            moved = 10 + rounds * 8
            _replace(
                directory / "proc/diskstats",
                f" 8 0 sda {moved} 1 {moved * 8} {moved * 2} {moved} 2 {moved * 8} {moved * 3}"
                " 1 70 90 5 0 800 9 4 6\n",
            )

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        is_over.set()
        worker.join()


def _replace(path: Path, text: str) -> None:
    """Write the file so that nobody reads half of it."""
    half = path.with_name(f".{path.name}")
    half.write_text(text)
    half.replace(path)


@contextmanager
def standby(directory: Path) -> Iterator[Piece]:
    """A PostgreSQL and a second one that streams from it."""
    for name in ("first", "second"):
        (directory / name).mkdir()
    server = PostgresServer(directory / "first", max_connections=10)
    try:
        with standby_of(server, directory / "second"):
            here = {"host": "127.0.0.1", "port": server.port}
            yield Piece({"postgres": [{**here, "user": "postgres", "database": "postgres"}]})
    finally:
        server.stop()


@contextmanager
def tls_probe(directory: Path) -> Iterator[Piece]:
    """A service behind TLS, and an authority that vouches for it."""
    authority = Authority(directory)
    certificate, key = authority.sign("localhost")
    chain = Chain(authority.certificate, certificate, key)
    with probed_services.serving(certificates=chain) as port:
        probe = {"url": f"https://127.0.0.1:{port}/", "certificates": str(chain.authority)}
        yield Piece({"probes": [probe]})


@contextmanager
def retried_task(_directory: Path) -> Iterator[Piece]:
    """A worker of Celery, one of whose tasks is tried again."""
    registry = CollectorRegistry()
    skew = tasks.CLOCK_SKEW.counter(registry)
    metrics = CeleryTasks(TaskMetrics("drill", registry, Guard(registry), skew))
    metrics.connect(celery.signals)
    queue = celery.Celery("drill", broker="memory://", set_as_current=False)
    queue.conf.update(task_ignore_result=True, worker_hijack_root_logger=False)
    queue.task(name="drill.again", shared=False, bind=True)(_again)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    # The worker sets the level of the root logger for good, for every test after it.
    root_level = logging.getLogger().level
    try:
        with start_worker(queue, pool="solo", perform_ping_check=False):
            queue.send_task("drill.again")
            yield Piece(target=f"127.0.0.1:{server.server_port}")
    finally:
        logging.getLogger().setLevel(root_level)
        metrics.disconnect(celery.signals)
        server.shutdown()
        server.server_close()
        thread.join()


def _again(self: Any) -> None:
    if self.request.retries == 0:
        raise self.retry(countdown=0)


EQUIPMENT: dict[str, Callable[[Path], AbstractContextManager[Piece]]] = {
    "whole-machine": whole_machine,
    "standby": standby,
    "tls-probe": tls_probe,
    "retried-task": retried_task,
}
"""By the name a silence gives (``dashboards/silences.py``)."""
