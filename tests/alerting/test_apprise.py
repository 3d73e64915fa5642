"""Any service that apprise knows is told the same words, and where it may not go it does not."""

from __future__ import annotations

import pytest

from alerting.notifiers import apprise
from alerting.notifiers.notifier import NotDelivered
from tests.alerting.desk import START
from tests.alerting.loopback import LoopbackServer, Reply
from tests.alerting.samples import ONE_ACTION, message
from watchkeeper.outbound import EgressPolicy


@pytest.fixture
def service():
    with LoopbackServer(lambda _request: Reply()) as server:
        yield server


def send(monkeypatch, url: str, *allowed: str) -> None:
    monkeypatch.setenv("TEST_APPRISE", url)
    options = apprise.Options.model_validate(
        {"name": "a", "kind": "apprise", "urls": [{"env": "TEST_APPRISE"}]}
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
    with pytest.raises(NotDelivered, match="not a public address"):
        send(monkeypatch, service.url.replace("http", "json"))
    assert service.requests == []


def test_a_url_of_no_service_is_given_up(monkeypatch):
    with pytest.raises(NotDelivered) as failure:
        send(monkeypatch, "nonsense://x")
    assert failure.value.is_permanent
    assert "nonsense" not in str(failure.value)  # URLs hold secrets
