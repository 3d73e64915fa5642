"""The faults a watchkeeper must survive, each under its own name.

The others stand where they belong: killed at every boundary in ``test_process``, receivers that
refuse or limit in ``test_delivery``, storms there and in ``benchmarks.storm``, stopped replicas in
``test_replicas``, pools and lost data in ``test_rule_limits``, forged and stale calls in the
endpoint's own tests.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from datetime import timedelta

import pytest

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
