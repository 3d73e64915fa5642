"""Every fault that a panel's silence names: how it is brought about in a running demo, and ended.

Each is a context: broken inside, mended after it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta

import psycopg
import requests

from tests.stack.conftest import RunningStack
from tests.stack.receiver import IS_DOWN, TAKES, Receiver
from tests.waiting import wait_until
from watchkeeper.catalogue import watchkeeper as own
from watchkeeper.prometheus import PrometheusClient
from watchkeeper.supervisor.client import SupervisorClient


@contextmanager
def slow_responses(demo: RunningStack, _receiver: Receiver) -> Iterator[None]:
    """Slow a handler down once the detector has seen enough to notice; no rule would."""
    wait_until(
        lambda: _query_state(demo, "response-time") == "ready",
        timeout_seconds=300,
        what="the detectors to have seen enough",
    )
    fault = demo.url("taskboard") + "/faults/slow-responses"
    requests.post(fault, timeout=10).raise_for_status()
    try:
        yield
    finally:
        requests.delete(fault, timeout=10).raise_for_status()


@contextmanager
def dead_worker(demo: RunningStack, _receiver: Receiver) -> Iterator[None]:
    """Kill the worker; a rule brings it back."""
    SupervisorClient(demo.data_dir).kill("taskboard-worker")
    yield


@contextmanager
def paused_actions(demo: RunningStack, _receiver: Receiver) -> Iterator[None]:
    """Let a worker die while the kill switch holds back the rule that would restart it."""
    alerting = demo.url("alerting")
    switch = {"by": "drill", "reason": "a guard must refuse"}
    requests.post(alerting + "/api/v1/pause", json=switch, timeout=10).raise_for_status()
    try:
        with dead_worker(demo, _receiver):
            yield
    finally:
        requests.post(alerting + "/api/v1/resume", json=switch, timeout=10).raise_for_status()
        SupervisorClient(demo.data_dir).restart("taskboard-worker")


@contextmanager
def silent_receiver(demo: RunningStack, receiver: Receiver) -> Iterator[None]:
    """Open an incident while nobody takes messages; it is told once somebody does again.

    Another one follows: a rate says nothing of the first event of a series.
    """
    drill = {"alertname": "Drill", "service": "silent-receiver", "severity": "warning"}
    receiver.status = IS_DOWN
    try:
        alert_of(demo, drill)
        wait_until(lambda: _has_failed(demo), what="a delivery that failed and is tried again")
    finally:
        receiver.status = TAKES
    told = PrometheusClient(demo.url("prometheus"))
    wait_until(lambda: told.query(f"{own.DELIVERY_LATENCY.count} > 0"), what="the first one told")
    alert_of(demo, {**drill, "service": "receiver-is-back"})
    yield


@contextmanager
def stopped_cache(demo: RunningStack, _receiver: Receiver) -> Iterator[None]:
    """Stop the cache's server as it stands: it takes connections and never answers."""
    supervisor = SupervisorClient(demo.data_dir)
    supervisor.kill("taskboard-valkey", signal="STOP")
    try:
        yield
    finally:
        supervisor.kill("taskboard-valkey", signal="CONT")


@contextmanager
def held_lock(demo: RunningStack, _receiver: Receiver) -> Iterator[None]:
    """Hold a lock on a table of our own, and let another session wait for it."""
    with _database(demo) as holder, _database(demo) as waiter:
        holder.execute("CREATE TABLE drill_held ()")
        holder.commit()
        holder.execute("LOCK TABLE drill_held")
        waiting = threading.Thread(target=_lock, args=(waiter,))
        waiting.start()
        try:
            yield
        finally:
            holder.rollback()
            waiting.join()
            waiter.rollback()
            holder.execute("DROP TABLE drill_held")


@contextmanager
def unused_index(demo: RunningStack, _receiver: Receiver) -> Iterator[None]:
    with _database(demo) as connection:
        connection.execute("CREATE TABLE drill_indexed (thing integer)")
        connection.execute("CREATE INDEX drill_unused ON drill_indexed (thing)")
        connection.commit()
        try:
            yield
        finally:
            connection.execute("DROP TABLE drill_indexed")


BREAKAGE: dict[str, Callable[[RunningStack, Receiver], AbstractContextManager[None]]] = {
    "slow-responses": slow_responses,
    "dead-worker": dead_worker,
    "paused-actions": paused_actions,
    "silent-receiver": silent_receiver,
    "stopped-cache": stopped_cache,
    "held-lock": held_lock,
    "unused-index": unused_index,
}


def _query_state(demo: RunningStack, name: str) -> str:
    answer = requests.get(demo.url("anomaly") + "/api/v1/queries", timeout=10).json()
    return next(query["state"] for query in answer["queries"] if query["name"] == name)


def alert_of(demo: RunningStack, labels: dict[str, str]) -> None:
    """Send an alert that holds for an hour; one of a new service opens an incident of its own."""
    now = datetime.now(UTC)
    alert = {
        "labels": labels,
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
    }
    address = demo.url("alerting") + "/api/v2/alerts"
    requests.post(address, json=[alert], timeout=10).raise_for_status()


def _has_failed(demo: RunningStack) -> bool:
    address = demo.url("alerting") + "/api/v1/deliveries?limit=500"
    deliveries = requests.get(address, timeout=10).json()["deliveries"]
    return any(one["error"] and one["delivered_at"] is None for one in deliveries)


def _database(demo: RunningStack) -> psycopg.Connection:
    port = next(p.port for p in demo.processes() if p.name == "taskboard-postgres")
    return psycopg.connect(host="127.0.0.1", port=port, user="taskboard", dbname="taskboard")


def _lock(waiter: psycopg.Connection) -> None:
    with suppress(psycopg.errors.UndefinedTable):
        waiter.execute("LOCK TABLE drill_held")
