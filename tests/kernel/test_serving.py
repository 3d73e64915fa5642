"""Every service has the same shell: metrics, health, one error shape, and its guards."""

import json
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress

import pytest
import requests
from flask import Response, request

from tests.waiting import wait_until
from watchkeeper.errors import StorageError
from watchkeeper.roles import Identity, Role
from watchkeeper.serving import Service, asker


@pytest.fixture
def service(monkeypatch):
    monkeypatch.delenv("WATCHKEEPER_API_TOKEN_FILE", raising=False)
    service = Service("example", import_name=__name__)

    @service.app.get("/boom")
    def boom():
        raise StorageError("disk is full")

    return service


@pytest.fixture
def guarded(monkeypatch, tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    monkeypatch.setenv("WATCHKEEPER_API_TOKEN_FILE", str(tmp_path / "token"))
    return Service("example", import_name=__name__).app.test_client()


def test_alive_is_not_the_same_as_ready(service):
    service.readiness.add("database", lambda: "not reachable since 10:00")
    client = service.app.test_client()
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["reasons"] == {"database": "not reachable since 10:00"}


def test_readiness_is_a_metric_too(service):
    client = service.app.test_client()
    assert 'watchkeeper_ready{service="example"} 1.0' in client.get("/metrics").text
    service.readiness.add("database", lambda: "down")
    assert 'watchkeeper_ready{service="example"} 0.0' in client.get("/metrics").text


def test_an_error_says_its_reason_and_message(service):
    answer = service.app.test_client().get("/boom")
    assert answer.status_code == 503
    assert answer.json == {"error": {"reason": "storage", "message": "disk is full"}}


def test_an_unknown_path_has_the_same_shape(service):
    answer = service.app.test_client().get("/nowhere")
    assert answer.status_code == 404
    assert json.loads(answer.data)["error"]["reason"] == "request"


def test_a_page_of_another_origin_is_refused(service):
    client = service.app.test_client()
    assert client.get("/metrics", headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.get("/metrics", headers={"Origin": "http://127.0.0.1:8300"}).status_code == 200


def test_a_strangers_name_for_loopback_is_refused(service):
    client = service.app.test_client()
    assert client.get("/metrics", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize("header", ["", "Bearer wrong", "s3cret", "Basic s3cret"])
def test_with_a_token_nothing_else_opens_the_door(guarded, header):
    answer = guarded.get("/metrics", headers={"Authorization": header})
    assert answer.status_code == 401
    assert guarded.get("/healthz").status_code == 200


def test_the_token_opens_it_from_any_host(guarded):
    headers = {"Authorization": "Bearer s3cret", "Host": "alerting:8303"}
    assert guarded.get("/metrics", headers=headers).status_code == 200


def test_a_service_with_pages_may_show_its_door_or_let_in_whom_it_knows(monkeypatch, tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    monkeypatch.setenv("WATCHKEEPER_API_TOKEN_FILE", str(tmp_path / "token"))
    service = Service("example", import_name=__name__)
    service.app.add_url_rule("/page", view_func=lambda: f"hello {request.args['who']}")

    def turn_away(refused):
        known = request.args["who"] == "friend"
        return None if known else (Response(f"the door ({refused.status})"), 401)

    service.turn_away = turn_away
    client = service.app.test_client()
    assert client.get("/page?who=friend").text == "hello friend"
    stranger = client.get("/page?who=stranger")
    assert (stranger.status_code, stranger.text) == (401, "the door (401)")


SERVE = """
import sys
from watchkeeper.roles import Identity, Role
from watchkeeper.serving import Service, asker
Service("example", import_name="example").run("127.0.0.1:" + sys.argv[1])
"""


@pytest.fixture
def running(monkeypatch):
    monkeypatch.delenv("WATCHKEEPER_API_TOKEN_FILE", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(port)], stderr=subprocess.DEVNULL)

    def answers():
        with suppress(requests.ConnectionError):
            return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok

    wait_until(answers, what="the service answers")
    yield port
    process.terminate()
    process.wait(10)


@pytest.mark.live
def test_a_body_too_large_is_refused_before_it_is_taken(running):
    with socket.create_connection(("127.0.0.1", running), timeout=10) as peer:
        peer.sendall(b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n")
        assert b" 413 " in peer.recv(100)


@pytest.mark.live
def test_half_sent_requests_do_not_keep_others_out(running):
    with ExitStack() as stack:
        for _ in range(150):
            peer = stack.enter_context(socket.create_connection(("127.0.0.1", running), timeout=10))
            peer.sendall(b"POST /x HTTP/1.1\r\nContent-Le")
        assert requests.get(f"http://127.0.0.1:{running}/healthz", timeout=10).ok


def test_a_service_may_know_who_asks_without_a_token_in_the_header(monkeypatch, tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    monkeypatch.setenv("WATCHKEEPER_API_TOKEN_FILE", str(tmp_path / "token"))
    service = Service("example", import_name=__name__)
    service.recognise = lambda: Identity("vera", Role.VIEWER, is_person=True)
    service.app.add_url_rule("/me", view_func=lambda: asker().name, methods=["GET", "POST"])
    client = service.app.test_client()
    assert client.get("/me").text == "vera"
    refused = client.post("/me")
    assert (refused.status_code, refused.json["error"]["reason"]) == (403, "permission")
