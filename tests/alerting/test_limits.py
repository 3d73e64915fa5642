"""Too many requests: people wait, alerts are taken until there is no room, and nothing is lost."""

from __future__ import annotations

import pytest

from alerting import overload
from watchkeeper.serving import Service

ALERTS = [{"labels": {"alertname": "Down", "service": "shop"}}]


@pytest.fixture
def limited(alerting):
    """The service with two requests a minute for each caller."""
    file = alerting.configuration.alerting_path
    file.write_text(file.read_text() + "rate_limits: {requests_per_minute: 2}\n")
    alerting.configuration.reload_if_changed()
    return alerting.service.app.test_client()


def test_who_asks_too_often_gets_429_and_when_to_come_again(limited):
    for _ in range(2):
        assert limited.get("/api/v1/incidents").status_code == 200
    answer = limited.get("/api/v1/incidents")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "30"
    assert answer.json["error"]["reason"] == "rate_limit"
    assert limited.get("/healthz").status_code == 200


def test_alerts_are_taken_however_many_come(limited):
    answers = [limited.post("/api/v2/alerts", json=ALERTS) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}


def test_a_refused_request_is_counted(limited, alerting):
    for _ in range(5):
        limited.get("/api/v1/incidents")
    refused = alerting.service.registry.get_sample_value(
        "watchkeeper_requests_limited_total", {"kind": "requests"}
    )
    assert refused == 3


def test_with_too_many_waiting_alerts_are_answered_503_and_people_are_not():
    service = Service("example", import_name=__name__)
    service.app.add_url_rule("/api/v2/alerts", methods=["GET", "POST"], view_func=lambda: "taken")
    waiting, refused = [overload.MAX_WAITING], []
    overload.refuse_when_overloaded(
        service.app, lambda: waiting[0], lambda: refused.append("overload")
    )
    client = service.app.test_client()
    assert client.post("/api/v2/alerts").status_code == 200
    waiting[0] += 1
    answer = client.post("/api/v2/alerts")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json["error"]["reason"] == "busy"
    assert client.get("/api/v2/alerts").status_code == 200
    assert refused == ["overload"]
