"""Any service that apprise knows is told the same words, and where it may not go it does not."""

from __future__ import annotations

import io
import logging

import pytest

from alerting.notifiers import apprise
from alerting.notifiers.notifier import NotDelivered
from tests.alerting.desk import START
from tests.alerting.loopback import LoopbackServer, Reply
from tests.alerting.samples import ONE_ACTION, message
from watchkeeper import logs
from watchkeeper.outbound import EgressPolicy


@pytest.fixture
def service():
    with LoopbackServer(lambda _request: Reply()) as server:
        yield server


def send(monkeypatch, url: str, *allowed: str) -> None:
    monkeypatch.setenv("TEST_APPRISE", url)
    options = apprise.Options.model_validate(
        {"name": "a", "kind": "apprise", "url": {"env": "TEST_APPRISE"}}
    )
    notifier = apprise.build(options, EgressPolicy.parse(allowed))
    notifier.send(message("opened", actions=ONE_ACTION), now=START)


def test_a_service_gets_the_subject_and_the_story(monkeypatch, service):
    send(monkeypatch, service.url.replace("http", "json"), "127.0.0.0/8")
    [request] = service.requests
    assert "Worker dead" in request.json["title"]
    assert "restart-service on worker" in request.json["message"]


def test_a_service_that_refuses_is_tried_again(monkeypatch, service):
    service.answer = lambda _request: Reply(500)
    with pytest.raises(NotDelivered, match="did not take it") as failure:
        send(monkeypatch, service.url.replace("http", "json"), "127.0.0.0/8")
    assert not failure.value.is_permanent


def test_an_address_that_is_not_allowed_is_not_called(monkeypatch, service):
    with pytest.raises(NotDelivered, match="not at a public address"):
        send(monkeypatch, service.url.replace("http", "json"))
    assert service.requests == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST"])
def test_a_host_without_a_dot_is_checked_as_well(monkeypatch, service, host):
    with pytest.raises(NotDelivered, match="not at a public address"):
        send(monkeypatch, service.url.replace("http", "json").replace("127.0.0.1", host))
    assert service.requests == []


def test_a_url_of_no_service_is_given_up(monkeypatch):
    with pytest.raises(NotDelivered) as failure:
        send(monkeypatch, "nonsense://x")
    assert failure.value.is_permanent


@pytest.fixture
def logged():
    """Return all that a service would log, at its most talkative."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    logs.configure("alerting", level="debug", stream=stream)
    yield stream
    root.handlers[:], root.level = before


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense://sesame/x", "not one that apprise can use"),
        ("slack://sesame/x", "not one that apprise can use"),
        ("json://sesame@[", "not one that apprise can use"),
        ("json://u:sesame@127.0.0.1:PORT/sesame?+X-Key=sesame", "JSON did not take it"),
        ("json://u:sesame@127.0.0.1:1/sesame", "JSON did not take it"),
        ("json://u:sesame@sesame.invalid/sesame", "the host of JSON is not found"),
        ("json://sesame@169.254.169.254/sesame", "JSON is not at a public address"),
    ],
)
def test_no_part_of_a_url_is_logged_or_told_when_it_fails(monkeypatch, service, logged, url, words):
    service.answer = lambda _request: Reply(500, headers={"No body\r\nX": "y"})
    port = service.url.rpartition(":")[2]
    with pytest.raises(NotDelivered, match=words) as failure:
        send(monkeypatch, url.replace("PORT", port), "127.0.0.0/8")
    assert "sesame" not in str(failure.value) + logged.getvalue()
