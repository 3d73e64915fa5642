"""The agent's HTTP server, spoken to over plain sockets."""

import json
import socket
import threading

import pytest

from agent.text import TextFormat
from agent.web import connection, server
from agent.web.pages import Pages
from agent.web.server import Server
from tests.waiting import wait_until
from watchkeeper.health import Readiness
from watchkeeper.listen import Listen

PAGE = b"page 1\n" * 3000


@pytest.fixture
def running():
    pages = Pages(Readiness(), lambda _, **__: PAGE)
    running = Server(Listen("127.0.0.1", 0), lambda stream: (stream, pages.answer))
    running.start()
    yield running
    running.stop()


class Client:
    """Says bytes and reads responses."""

    def __init__(self, running):
        host, _, port = running.address.rpartition(":")
        self.stream = socket.create_connection((host, int(port)), timeout=20)
        self.read = self.stream.makefile("rb")

    def say(self, *pieces):
        for piece in pieces:
            self.stream.sendall(piece)

    def response(self, *, has_body=True):
        status = int(self.read.readline().split()[1])
        lines = iter(self.read.readline, b"\r\n")
        headers = dict(line.decode().strip().lower().split(": ", 1) for line in lines)
        length = int(headers["content-length"]) if has_body else 0
        return status, headers, self.read.read(length)

    def is_ended(self):
        try:
            return self.read.read(1) == b""
        except ConnectionResetError:
            return True


@pytest.fixture
def client(running):
    client = Client(running)
    yield client
    client.read.close()
    client.stream.close()


def asked(path="/metrics", *headers, method="GET", version="HTTP/1.1"):
    lines = [f"{method} {path} {version}", "Host: localhost", *headers]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def test_many_requests_are_answered_over_one_connection(client):
    for _ in range(3):
        client.say(asked())
        status, headers, body = client.response()
        assert (status, body) == (200, PAGE)
        assert headers["content-type"] == TextFormat.PROMETHEUS.value


def test_one_who_asks_otherwise_than_before_is_answered_otherwise(client):
    answers = []
    for headers in (
        [],
        [],
        ["Accept-Encoding: gzip"],
        ["Accept: application/openmetrics-text"],
        [],
    ):
        client.say(asked("/metrics", *headers))
        _, told, _ = client.response()
        answers.append((told["content-type"].split(";")[0], "content-encoding" in told))
    plain = ("text/plain", False)
    assert answers == [
        plain, plain, ("text/plain", True), ("application/openmetrics-text", False), plain,
    ]  # fmt: skip


def test_a_request_that_breaks_is_answered_so_told_once_and_harms_no_other(caplog):
    broken = Server(Listen("127.0.0.1", 0), lambda stream: (stream, lambda _: 1 // 0))
    broken.start()
    client = Client(broken)
    try:
        for _ in range(3):
            client.say(asked())
            status, _, body = client.response()
            assert (status, json.loads(body)["error"]["reason"]) == (500, "unexpected")
    finally:
        client.read.close()
        client.stream.close()
        broken.stop()
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.exc_info[0] for record in told] == [ZeroDivisionError]


def test_requests_sent_at_once_are_answered_in_turn(client):
    client.say(asked() + asked("/healthz") + asked("/nowhere"))
    assert [client.response()[0] for _ in range(3)] == [200, 200, 404]


def test_a_request_may_come_in_pieces(client):
    whole = asked("/metrics?from=here")
    client.say(whole[:9], whole[9:-3], whole[-3:])
    assert client.response()[0] == 200


def test_head_is_answered_without_the_body(client):
    client.say(asked(method="HEAD") + asked("/healthz"))
    status, headers, _ = client.response(has_body=False)
    assert (status, headers["content-length"]) == (200, str(len(PAGE)))
    assert client.response()[0] == 200


@pytest.mark.parametrize(
    "request_",
    [
        asked("/metrics", "Connection: close"),
        asked(version="HTTP/1.0"),
        asked("/metrics", "Content-Length: 3") + b"abc",
        asked("/metrics", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    ],
    ids=["asked to", "old version", "a body", "a body in chunks"],
)
def test_a_connection_that_cannot_go_on_is_closed_after_the_answer(client, request_):
    client.say(request_)
    status, headers, _ = client.response()
    assert (status, headers["connection"]) == (200, "close")
    assert client.is_ended()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET  HTTP/1.1\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\n\r\n", 400),
        (asked("/metrics", "Host: other"), 400),
        (asked("/metrics", "no colon"), 400),
        (asked("/metrics", " folded: line"), 400),
        (asked(method="POST"), 405),
        (asked(version="HTTP/2.0"), 505),
        (asked("/metrics", f"X: {'x' * 20_000}"), 431),
    ],
)
def test_what_is_no_good_request_is_told_why_and_ended(client, request_, status):
    client.say(request_)
    answered, _, body = client.response()
    assert answered == status
    assert "expected" in json.loads(body)["error"]["message"]
    assert client.is_ended()


def test_the_form_that_proxies_use_is_understood(client):
    client.say(asked("http://localhost/healthz"))
    assert client.response()[0] == 200


def test_a_request_that_dribbles_in_is_given_up_on(client, monkeypatch):
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.05)
    client.say(b"GET /metr")
    assert client.response()[0] == 408
    assert client.is_ended()


def test_a_connection_that_asks_nothing_is_ended(running, monkeypatch):
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.05)
    assert Client(running).is_ended()


def answering_threads():
    return [thread for thread in threading.enumerate() if thread.name == "answer"]


def test_the_connection_that_was_silent_longest_makes_room(running, monkeypatch):
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)
    clients = []
    for _ in range(3):
        clients.append(Client(running))
        clients[-1].say(asked("/healthz"))
        assert clients[-1].response()[0] == 200
    clients[0].say(asked("/healthz"))
    clients[0].response()
    newest = Client(running)
    newest.say(asked("/healthz"))
    assert newest.response()[0] == 200
    assert clients[1].is_ended()
    clients[0].say(asked("/healthz"))
    assert clients[0].response()[0] == 200


def test_a_client_that_reads_nothing_holds_up_nobody(running):
    deaf = Client(running)
    deaf.say(asked() * 1000)
    hearing = Client(running)
    hearing.say(asked("/healthz"))
    assert hearing.response()[0] == 200


def test_stopping_ends_every_connection_and_thread(running):
    client = Client(running)
    client.say(asked("/healthz"))
    client.response()
    running.stop()
    assert client.is_ended()
    wait_until(lambda: not answering_threads(), what="threads ending")


def test_it_listens_on_ipv6_too():
    try:
        running = Server(Listen("::1", 0), lambda stream: (stream, print))
    except OSError:
        pytest.fail("this machine has no IPv6 loopback")
    assert running.address.startswith("[::1]:")
    running.stop()


@pytest.mark.parametrize(
    ("accept_encoding", "is_compressed"),
    [
        ("", False),
        ("identity", False),
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip;q=0.0, br", False),
    ],
)
def test_only_who_takes_gzip_gets_it(accept_encoding, is_compressed):
    asked_for = []
    pages = Pages(Readiness(), lambda _, *, is_compressed: asked_for.append(is_compressed) or b"")
    running = Server(Listen("127.0.0.1", 0), lambda stream: (stream, pages.answer))
    running.start()
    client = Client(running)
    client.say(asked("/metrics", f"Accept-Encoding: {accept_encoding}"))
    _, headers, _ = client.response()
    running.stop()
    assert asked_for == [is_compressed]
    assert headers.get("content-encoding") == ("gzip" if is_compressed else None)
