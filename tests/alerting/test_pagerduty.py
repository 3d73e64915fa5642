"""PagerDuty events, taken by a server that checks what PagerDuty checks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.notifiers.notifier import NotDelivered
from alerting.notifiers.pagerduty import Options, build, render
from tests.alerting.desk import START
from tests.alerting.loopback import LoopbackServer, Reply, Request, as_json
from tests.alerting.samples import ONE_ACTION, message, one_alert
from watchkeeper.outbound import EgressPolicy

KEY = "0123456789abcdef0123456789abcdef"


def problem_of(event: dict[str, Any], size_bytes: int) -> str:
    """Return what PagerDuty would complain about (Events API v2)."""
    if size_bytes > 512 * 1024:
        return "too large"
    if len(event["routing_key"]) != 32 or not 1 <= len(event["dedup_key"]) <= 255:
        return "keys"
    if event["event_action"] == "resolve":
        return ""
    payload = event["payload"]
    if event["event_action"] != "trigger" or not payload["source"]:
        return "action or source"
    if payload["severity"] not in ("critical", "error", "warning", "info"):
        return "severity"
    return "" if 1 <= len(payload["summary"]) <= 1024 else "summary"


def answer(request: Request) -> Reply:
    problem = problem_of(request.json, len(request.body))
    return as_json({"message": problem}, 400) if problem else as_json({"status": "success"}, 202)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    monkeypatch.setenv("TEST_KEY", KEY)
    with LoopbackServer(answer) as found:
        yield found


def send(server: LoopbackServer, event: str, **changes: Any) -> None:
    options = Options.model_validate(
        {"name": "pd", "kind": "pagerduty", "routing_key": {"env": "TEST_KEY"}, "url": server.url}
    )
    policy = EgressPolicy.parse(["127.0.0.0/8"])
    build(options, policy).send(message(event, **changes), now=START)


def test_an_incident_triggers_and_resolves_one_alert(server):
    send(server, "opened")
    send(server, "resolved", resolved_at="2026-01-05T09:01:00.000Z")
    opened, resolved = (request.json for request in server.requests)
    assert (opened["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == resolved["dedup_key"] == "inc-1"
    assert opened["routing_key"] == resolved["routing_key"]
    assert opened["client_url"] == "http://console.example/incidents/inc-1"


def test_it_says_what_was_done(server):
    send(server, "action", actions=ONE_ACTION, alerts=one_alert(summary="x", description="y"))
    [request] = server.requests
    details = request.json["payload"]["custom_details"]
    assert details["what was done"][0].startswith("restart-service on worker (auto): worked")
    assert details["alerts"][0]["details"] == "y"


def test_its_400_is_final_and_its_429_is_not(server):
    for status, is_permanent in ((400, True), (429, False), (500, False)):
        server.answer = lambda _request, status=status: Reply(status, b"{}")
        with pytest.raises(NotDelivered) as caught:
            send(server, "opened")
        assert caught.value.is_permanent is is_permanent


@given(
    title=st.text(min_size=1, max_size=3000),
    description=st.text(max_size=200),
    repeats=st.integers(1, 3000),
)
def test_any_incident_is_an_event_pagerduty_accepts(title, description, repeats):
    found = one_alert(description=description * repeats, summary="x") * 20
    body = render(message(title=title, alerts=found), KEY)
    assert problem_of(json.loads(body), len(body)) == ""


def test_what_is_too_large_loses_its_alerts_before_why_it_comes():
    heavy = one_alert(description="x" * 400_000) * 2
    entry = {"at": "2026-01-05T09:10:00.000Z", "kind": "escalated", "text": "nobody took it"}
    shed = json.loads(
        render(message("escalated", alerts=heavy, timeline=[entry], actions=ONE_ACTION), KEY)
    )
    details = shed["payload"]["custom_details"]
    assert "alerts" not in details
    assert details["latest"].startswith("nobody took it")
    assert details["what was done"] == [
        "restart-service on worker (auto): worked: tasks finished a second is 5.8 (wanted above 0)"
    ]
