"""The faults a watchkeeper must survive, each under its own name.

The others stand where they belong; docs/fault-cases.md lists them all.
"""

from __future__ import annotations

import socket
import sqlite3
import threading
from contextlib import closing, suppress
from datetime import timedelta

import pytest
from sqlalchemy import event

from alerting.notifiers.http_answer import post
from alerting.notifiers.notifier import NotDelivered
from tests.alerting.desk import START
from watchkeeper.errors import StorageError
from watchkeeper.outbound import EgressPolicy
from watchkeeper.storage import writing

LOOPBACK = EgressPolicy.parse(["127.0.0.0/8"])


@pytest.fixture
def speaking():
    """A server that says what it is told to, byte by byte when asked for, and hangs up."""
    over = threading.Event()
    sockets = []

    def serve(said: bytes, *, drips: bool = False) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        sockets.append(server)

        def answer() -> None:
            peer, _ = server.accept()
            with peer, suppress(OSError):
                peer.recv(65536)
                for piece in (said[i : i + 1] for i in range(len(said))) if drips else [said]:
                    peer.sendall(piece)
                    if drips and over.wait(0.05):
                        return

        threading.Thread(target=answer, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/"

    yield serve
    over.set()
    for server in sockets:
        server.close()


def failure(url: str) -> NotDelivered:
    with pytest.raises(NotDelivered) as raised:
        post(url, b"{}", {}, policy=LOOPBACK, now=START, timeout_seconds=0.5)
    return raised.value


def test_an_answer_cut_off_in_its_body_confirms_nothing(speaking):
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"
    assert not failure(speaking(cut)).is_permanent


def test_an_answer_that_drips_is_not_waited_for_longer_than_allowed(speaking):
    slow = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000
    assert not failure(speaking(slow, drips=True)).is_permanent


def test_a_redirect_is_not_followed_and_is_final(speaking):
    away = b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    assert failure(speaking(away)).is_permanent


def test_a_clock_set_back_ends_no_cooldown_and_makes_none_of_days(desk, endpoint):
    desk.fire()
    desk.pass_time(15)
    desk.resolve()
    desk.clock._now -= timedelta(hours=5)
    desk.fire()
    desk.pass_time(50, step_seconds=5)
    assert len(endpoint.effects) == 1
    desk.pass_time(30, step_seconds=5)
    assert len(endpoint.effects) == 2


def test_a_clock_that_jumps_ahead_ends_no_cooldown(desk, endpoint):
    desk.fire()
    desk.pass_time(15)
    desk.resolve()
    desk.clock._now += timedelta(hours=5)
    desk.fire()
    desk.pass_time(50, step_seconds=5)
    assert len(endpoint.effects) == 1
    assert "clock" in desk.actions()[-1]["denied_by"]
    desk.pass_time(30, step_seconds=5)
    assert len(endpoint.effects) == 2


def test_without_the_database_nothing_is_acted_on(desk, endpoint):
    desk.fire()
    with writing(desk.store.engine) as connection:
        connection.exec_driver_sql("ALTER TABLE audit RENAME TO gone")
    for _ in range(3):
        with pytest.raises(StorageError):
            desk.remediator.step()
        desk.clock.advance(60)
    assert endpoint.requests == []


def test_an_alert_that_flaps_every_second_causes_few_actions(desk, endpoint):
    for _ in range(60):
        desk.fire()
        desk.pass_time(1)
        desk.resolve()
        desk.pass_time(1)
    assert len(endpoint.effects) <= 2


def dead(service: str) -> dict[str, object]:
    return {
        "labels": {"alertname": "Dead", "service": service},
        "annotations": {"description": "x" * 10_000},
    }


def services(client) -> list[str]:
    return sorted(alert["labels"]["service"] for alert in client.get("/api/v2/alerts").json)


def test_on_a_full_disk_nothing_is_confirmed_and_nothing_confirmed_is_lost(client, alerting):
    confirmed = []
    engine = alerting.store.engine
    with writing(engine) as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(connection, _record):
        # What SQLite says of a file that may not grow is what it says of a disk that is full.
        connection.execute(f"PRAGMA max_page_count={pages + 40}")

    event.listen(engine, "connect", limit)
    engine.dispose()
    for number in range(40):
        answer = client.post("/api/v2/alerts", json=[dead(f"s{number:02}")])
        assert answer.status_code in (200, 503)
        if answer.status_code == 200:
            confirmed.append(f"s{number:02}")
    assert "full" in client.post("/api/v2/alerts", json=[dead("late")]).json["error"]["message"]
    assert 0 < len(confirmed) < 40
    assert services(client) == confirmed
    event.remove(engine, "connect", limit)
    engine.dispose()
    assert client.post("/api/v2/alerts", json=[dead("late")]).status_code == 200
    assert services(client) == ["late", *confirmed]


def test_while_somebody_else_holds_the_database_nothing_is_confirmed(client, alerting):
    file = alerting.store.engine.url.database
    event.listen(alerting.store.engine, "connect", impatient)
    alerting.store.engine.dispose()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = client.post("/api/v2/alerts", json=[dead("shop")])
        assert answer.status_code == 503
        assert "locked" in answer.json["error"]["message"]
        other.execute("ROLLBACK")
    assert services(client) == []
    assert client.post("/api/v2/alerts", json=[dead("shop")]).status_code == 200
    assert services(client) == ["shop"]


def impatient(connection, _record):
    connection.execute("PRAGMA busy_timeout=50")
