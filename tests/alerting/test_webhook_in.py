"""Who keeps an Alertmanager can have it tell us, and so can who has Grafana judge rules."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from alerting import signing
from tests.alerting.loopback import SECRET

PATH = "/api/v1/webhooks/alertmanager"


def body(status: str = "firing", ends_at: str = "0001-01-01T00:00:00Z", **changes):
    alert = {
        "status": status, "labels": {"alertname": "Down", "service": "shop"},
        "annotations": {"summary": "x"}, "startsAt": "2026-01-05T08:59:00.123456789Z",
        "endsAt": ends_at, "generatorURL": "", "fingerprint": "b2ec",
    }  # fmt: skip
    return {
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": status,
        "receiver": "watchkeeper", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://am.example", "alerts": [alert], **changes,
    }  # fmt: skip


def test_a_group_fires_until_alertmanager_says_that_it_ended(client, clock, alerting):
    assert client.post(PATH, json=body()).json == {"taken": 1}
    clock.advance(6 * 3600)  # far beyond the resolve timeout of pushed alerts
    alerting.router.expire()
    assert client.get("/api/v1/incidents?status=open").json["incidents"]
    client.post(PATH, json=body("resolved", "2026-01-05T14:59:00Z"))
    assert client.get("/api/v1/incidents?status=open").json["incidents"] == []


def of_grafana(status: str = "firing", ends_at: str = "0001-01-01T00:00:00Z"):
    """What a contact point of Grafana 11 sends: the same fields, more beside them."""
    alert = {
        "status": status,
        "labels": {"alertname": "Slow checkout", "grafana_folder": "Shop", "service": "shop"},
        "annotations": {"summary": "p95 is above 2 s", "runbook_url": "https://wiki.example/slow"},
        "startsAt": "2026-01-05T09:58:30+01:00", "endsAt": ends_at,
        "generatorURL": "https://grafana.example/alerting/grafana/ce1x/view?orgId=1",
        "fingerprint": "5c1a7f3f1b5e0c1d",
        "silenceURL": "https://grafana.example/alerting/silence/new?alertmanager=grafana",
        "dashboardURL": "", "panelURL": "", "imageURL": "",
        "values": {"A": 2.31, "C": 1}, "valueString": "[ var='A' labels={} value=2.31 ]",
        "orgId": 1,
    }  # fmt: skip
    return {
        "receiver": "Watchkeeper", "status": status, "orgId": 1, "alerts": [alert],
        "groupLabels": {"alertname": "Slow checkout"}, "commonLabels": alert["labels"],
        "commonAnnotations": alert["annotations"], "externalURL": "https://grafana.example/",
        "appVersion": "11.6.0", "version": "1", "groupKey": '{}:{alertname="Slow checkout"}',
        "truncatedAlerts": 0, "title": "[FIRING:1] Slow checkout Shop", "state": "alerting",
        "message": "**Firing**\n\nValue: A=2.31, C=1",
    }  # fmt: skip


def test_an_alert_of_grafanas_is_an_incident_until_grafana_says_that_it_ended(client, clock):
    assert client.post(PATH, json=of_grafana()).json == {"taken": 1}
    (incident,) = client.get("/api/v1/incidents?status=open").json["incidents"]
    (alert,) = incident["alerts"]
    assert (incident["service"], alert["labels"]["alertname"]) == ("shop", "Slow checkout")
    assert alert["starts_at"].startswith("2026-01-05T08:58:30")
    clock.advance(3600)
    client.post(PATH, json=of_grafana("resolved", "2026-01-05T10:30:00+01:00"))
    assert client.get("/api/v1/incidents?status=open").json["incidents"] == []


def test_a_repeat_is_the_same_incident(client):
    for _ in range(3):
        client.post(PATH, json=body())
    assert len(client.get("/api/v1/incidents").json["incidents"]) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"version": "3", "alerts": []},
        {"version": ["4"], "alerts": []},
        {"version": "4"},
        body(alerts=[{"labels": {}}]),
    ],
)
def test_what_is_no_such_webhook_is_refused_whole(client, wrong):
    assert client.post(PATH, json=wrong).status_code == 400
    assert client.get("/api/v2/alerts").json == []


def test_with_a_secret_only_signed_bodies_are_taken(client, alerting):
    path = alerting.configuration.alerting_path
    path.write_text(path.read_text() + "webhook_in: {signing_secret: {env: TEST_SECRET}}\n")
    alerting.configuration.reload_if_changed()
    assert client.post(PATH, json=body()).status_code == 401
    text = json.dumps(body())
    headers = signing.headers(SECRET, "msg_1", text, now=datetime.now(UTC))
    assert client.post(PATH, data=text, headers=headers).status_code == 200
    assert client.post(PATH, data=text + " ", headers=headers).status_code == 401
    old = signing.headers(SECRET, "msg_1", text, now=datetime(2026, 1, 5, tzinfo=UTC))
    assert client.post(PATH, data=text, headers=old).status_code == 401
