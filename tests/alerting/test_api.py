"""The HTTP API, asked without a network."""

from __future__ import annotations

import pytest

from watchkeeper.catalogue import every_metric
from watchkeeper.storage import writing

DEAD = {"labels": {"alertname": "Dead", "service": "shop"}, "annotations": {"summary": "x"}}


def test_a_bad_alert_is_refused_by_name_and_the_good_one_kept(client):
    answer = client.post("/api/v2/alerts", json=[DEAD, {"labels": {}}])
    assert answer.status_code == 400
    assert "alert 1" in answer.json["error"]["message"]
    assert len(client.get("/api/v2/alerts").json) == 1


def test_what_is_no_json_is_refused(client):
    answer = client.post("/api/v2/alerts", data=b"{")
    assert answer.status_code == 400
    assert "JSON" in answer.json["error"]["message"]


def test_json_nested_without_end_is_refused(client):
    assert client.post("/api/v2/alerts", data=b"[" * 100_000).status_code == 400


def test_half_a_character_is_named_and_hides_no_sound_alert(client):
    broken = {"labels": {"alertname": "\ud800"}}
    answer = client.post("/api/v2/alerts", json=[broken, DEAD])
    assert answer.status_code == 400
    assert "alert 0" in answer.json["error"]["message"]
    assert len(client.get("/api/v2/alerts").json) == 1


def test_an_alert_reads_back_in_alertmanagers_shape(client):
    client.post("/api/v2/alerts", json=[DEAD])
    [shown] = client.get("/api/v2/alerts").json
    assert shown["labels"] == DEAD["labels"]
    assert shown["annotations"] == DEAD["annotations"]
    assert shown["startsAt"] == "2026-01-05T09:00:00.000Z"
    assert shown["endsAt"] == "2026-01-05T09:05:00.000Z"
    assert shown["receivers"] == [{"name": "slack"}]
    assert shown["status"] == {
        "state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": [],
    }  # fmt: skip


def test_while_the_database_cannot_be_written_nothing_is_acknowledged(client, alerting):
    with writing(alerting.store.engine) as connection:
        connection.exec_driver_sql("ALTER TABLE timeline RENAME TO gone")
    assert client.post("/api/v2/alerts", json=[DEAD]).status_code == 503
    with writing(alerting.store.engine) as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO timeline")
    assert client.get("/api/v2/alerts").json == []
    assert client.post("/api/v2/alerts", json=[DEAD]).status_code == 200


def test_incidents_are_listed_and_found(client):
    client.post("/api/v2/alerts", json=[DEAD])
    [found] = client.get("/api/v1/incidents?status=open&limit=5").json["incidents"]
    assert set(found) == {
        "id", "status", "severity", "title", "service", "started_at", "resolved_at", "timeline",
        "alerts", "acknowledged_at", "acknowledged_by", "owner", "not_a_problem_by",
    }  # fmt: skip
    assert client.get(f"/api/v1/incidents/{found['id']}").json == {**found, "similar": []}
    assert client.get("/api/v1/incidents?status=resolved").json == {"incidents": []}
    assert client.get("/api/v1/incidents/nothing").status_code == 404


@pytest.mark.parametrize("query", ["limit=0", "limit=many", "limit=1001", "status=odd"])
def test_a_bad_question_is_answered_with_what_was_expected(client, query):
    answer = client.get(f"/api/v1/incidents?{query}")
    assert answer.status_code == 400
    assert "expected" in answer.json["error"]["message"]


def test_a_pause_needs_a_reason_and_a_name(client):
    assert client.post("/api/v1/pause", json={"by": "ana"}).status_code == 400
    assert client.post("/api/v1/pause", json={"reason": " ", "by": "ana"}).status_code == 400
    assert client.post("/api/v1/pause", json=["reason"]).status_code == 400
    assert client.get("/api/v1/status").json["paused"] is False


def test_decisions_and_replays_name_a_person(client):
    assert client.post("/api/v1/actions/act_1/approve", json={}).status_code == 400
    assert client.post("/api/v1/actions/act_1/approve", json={"by": "ana"}).status_code == 409
    assert client.post("/api/v1/actions/act_1/explode", json={"by": "ana"}).status_code == 404
    assert client.post("/api/v1/deliveries/msg_1/replay", json={"by": "ana"}).status_code == 404


def test_the_audit_says_whether_it_holds(client):
    before = client.get("/api/v1/audit/verification").json
    assert before == {"holds": True, "first_break": None, "newest": None, "contains": None}
    client.post("/api/v1/pause", json={"reason": "drill", "by": "ana"})
    after = client.get("/api/v1/audit/verification").json
    assert (after["holds"], after["newest"]["seq"]) == (True, 1)
    asked = {"contains": after["newest"]["hash"]}
    assert client.get("/api/v1/audit/verification", query_string=asked).json["contains"] is True
    forged = {"contains": "0" * 64}
    assert client.get("/api/v1/audit/verification", query_string=forged).json["contains"] is False


def test_every_metric_it_exposes_is_in_the_catalogue(client):
    client.post("/api/v2/alerts", json=[DEAD])
    known = every_metric()
    lines = client.get("/metrics").text.splitlines()
    types = [line.split()[2] for line in lines if line.startswith("# TYPE watchkeeper_")]
    created = [name for name in types if name.endswith("_created")]
    assert set(types) - set(created) <= set(known)
    assert 'watchkeeper_incidents{severity="warning"} 1.0' in lines
