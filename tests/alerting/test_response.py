"""What people do about an incident: told in its story, kept in the audit, and obeyed."""

from __future__ import annotations

import pytest

from tests.alerting.loopback import LoopbackServer, as_json

DEAD = {"labels": {"alertname": "WorkerDead", "service": "shop", "process": "w1"}}
SLOW = {"labels": {"alertname": "Slow", "service": "shop", "host": "a"}}


@pytest.fixture
def incident(client) -> str:
    client.post("/api/v2/alerts", json=[DEAD])
    return newest(client)["id"]


def newest(client):
    return client.get("/api/v1/incidents").json["incidents"][0]


def post(client, incident_id: str, deed: str, **body: object):
    return client.post(f"/api/v1/incidents/{incident_id}/{deed}", json={"by": "ana", **body})


def deliveries(client) -> list[tuple[str, str, str]]:
    found = client.get("/api/v1/deliveries").json["deliveries"]
    return [(one["receiver"], one["event"], one["state"]) for one in reversed(found)]


def test_who_acknowledges_owns_the_incident_and_the_team_is_told(client, incident, slack):
    answer = post(client, incident, "acknowledge", text="looking").json
    assert (answer["acknowledged_by"], answer["owner"]) == ("ana", "ana")
    assert answer["acknowledged_at"] == "2026-01-05T09:00:00.000Z"
    assert answer["timeline"][-1]["kind"] == "acknowledged"
    assert answer["timeline"][-1]["text"] == "ana has taken it: looking"
    assert ("slack", "acknowledged", "pending") in deliveries(client)


def test_after_an_acknowledgement_only_the_end_is_news(client, incident, slack):
    post(client, incident, "acknowledge")
    client.post("/api/v2/alerts", json=[SLOW])
    assert [event for _, event, _ in deliveries(client)] == ["opened", "acknowledged"]
    over = [{**one, "endsAt": "2026-01-05T09:00:00Z"} for one in (DEAD, SLOW)]
    client.post("/api/v2/alerts", json=over)
    assert [event for _, event, _ in deliveries(client)] == ["opened", "acknowledged", "resolved"]


def test_an_incident_is_taken_once_and_only_while_it_is_open(client, incident):
    assert post(client, incident, "acknowledge").status_code == 200
    assert post(client, incident, "acknowledge").status_code == 409
    client.post("/api/v2/alerts", json=[{**DEAD, "endsAt": "2026-01-05T09:00:00Z"}])
    assert post(client, incident, "silence").status_code == 409


@pytest.mark.parametrize(
    ("deed", "body"),
    [
        ("acknowledge", {}),
        ("owner", {"owner": "ben"}),
        ("notes", {"text": "x"}),
        ("not-a-problem", {}),
        ("silence", {}),
    ],
)
def test_a_deed_needs_an_incident_and_a_name(client, incident, deed, body):
    assert post(client, "inc-none", deed, **body).status_code == 404
    assert post(client, incident, deed, **{**body, "by": " "}).status_code == 400
    assert post(client, incident, deed, **body).status_code == 200
    events = {
        (entry["actor"], entry["subject"]) for entry in client.get("/api/v1/audit").json["audit"]
    }
    assert ("ana", incident) in events


def test_a_note_is_part_of_the_story(client, incident):
    answer = post(client, incident, "notes", text="the disk is full again").json
    assert answer["timeline"][-1]["text"] == "ana: the disk is full again"
    assert post(client, incident, "notes").status_code == 400


def test_a_silence_from_an_incident_hushes_its_alerts_and_no_others(client, incident):
    client.post("/api/v2/alerts", json=[{"labels": {**DEAD["labels"], "process": "w2"}}])
    answer = post(client, incident, "silence", duration="2h", text="known").json
    client.post("/api/v2/alerts", json=[SLOW])
    [silence] = client.get("/api/v2/silences").json
    assert answer["timeline"][-1]["detail"]["silence_ids"] == [silence["id"]]
    assert {(m["name"], m["value"]) for m in silence["matchers"]} == {
        ("alertname", "WorkerDead"), ("service", "shop"),
    }  # fmt: skip
    assert silence["endsAt"] == "2026-01-05T11:00:00.000Z"
    states = {
        one["labels"]["alertname"]: one["status"]["state"]
        for one in client.get("/api/v2/alerts").json
    }
    assert states == {"WorkerDead": "suppressed", "Slow": "active"}


@pytest.mark.parametrize("duration", ["soon", 0, -1, True, "9000d", [1]])
def test_a_silence_of_no_sensible_length_is_refused(client, incident, duration):
    answer = post(client, incident, "silence", duration=duration)
    assert answer.status_code == 400
    assert "duration" in answer.json["error"]["message"]


class AnomalyService(LoopbackServer):
    """Lists two episodes and takes feedback, but not the first call of all."""

    def __init__(self):
        super().__init__(self._answer)
        self.said = []
        self.is_down = True

    def _answer(self, request):
        if self.is_down:
            self.is_down = False
            return as_json({}, 503)
        if request.method == "POST":
            self.said.append(request.json)
            return as_json({}, 201)
        ending = "not-a-problem" if self.said else None
        return as_json({"episodes": [episode("other", "b"), episode("meant", "a", ending)]})


def episode(identity, host, ending=None):
    return {"id": identity, "labels": {"host": host}, "ending": ending}


def test_not_a_problem_reaches_the_anomaly_service_once_though_it_was_down(make_desk, monkeypatch):
    with AnomalyService() as anomaly:
        monkeypatch.setenv("WATCHKEEPER_ANOMALY_URL", anomaly.url)
        desk = make_desk()
        for replica in "12":
            desk.fire("Anomaly", query="latency", host="a", replica=replica)
        desk.call_no_problem(by="ana", text="a planned load test")
        desk.hand_on_feedback()
        assert anomaly.said == []
        desk.clock.advance(10)
        desk.hand_on_feedback()
    assert anomaly.said == [
        {"kind": "not-a-problem", "episode": "meant", "by": "ana", "reason": "a planned load test"}
    ]
    assert "anomaly-feedback was told" in desk.story()


def test_of_an_alert_no_detector_raised_there_is_nothing_to_learn(client, incident):
    assert post(client, incident, "not-a-problem").json["not_a_problem_by"] == "ana"
    assert {receiver for receiver, _, _ in deliveries(client)} <= {"slack"}
    assert post(client, incident, "not-a-problem").status_code == 409


def test_a_like_incident_says_what_fixed_it_and_what_was_noted(desk, prometheus):
    desk.fire()
    desk.pass_time(20)
    desk.note("the queue was full", by="ana")
    desk.resolve()
    desk.clock.advance(300)
    desk.fire("WorkerDead", replica="2")
    [earlier] = desk.similar()
    assert earlier["fixed_by"] == ["restart-service on worker"]
    assert earlier["notes"] == ["ana: the queue was full"]
    assert 0.3 <= earlier["similarity_ratio"] <= 1


def test_another_trouble_of_the_service_is_not_alike(desk):
    desk.fire("DiskFull", severity="warning", process="", mount="/")
    desk.resolve("DiskFull", severity="warning", process="", mount="/")
    desk.fire("LoginsFail", tenant="a", realm="b", zone="c")
    assert desk.similar() == []
