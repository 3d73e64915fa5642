"""Saying, listing and undoing over HTTP, and that it outlives a restart."""

from datetime import UTC, datetime

import numpy as np
import pytest
from flask import Flask

from anomaly.explainer import Explainer
from anomaly.feedback_api import feedback_blueprint
from anomaly.ledger import Ledger
from anomaly.runner import QueryRunner
from tests.anomaly.series import Recorded, noise, query, time_of
from watchkeeper.clock import ManualClock
from watchkeeper.errors import Refused
from watchkeeper.storage import open_database, sqlite_url


class Desk:
    """A query whose /search got slower at sample 100, and the API beside it."""

    def __init__(
        self, path, clock: ManualClock, values: np.ndarray | None = None, **others: np.ndarray
    ) -> None:
        if values is None:
            values = noise(300)
            values[100:] += 30
        self.clock = clock
        self.ledger = Ledger(open_database(sqlite_url(path)))
        self.runner = QueryRunner(
            "response-time",
            query(),
            reader=Recorded({"/search": values, **others}),
            ledger=self.ledger,
            clock=clock,
        )
        app = Flask(__name__)
        app.register_error_handler(Refused, lambda error: (str(error), 409))
        app.register_blueprint(
            feedback_blueprint(
                lambda: [self.runner],
                self.ledger.feedback,
                clock,
                Explainer(lambda: [self.runner], self.ledger.feedback).explain,
            )
        )
        self.app = app
        self.client = app.test_client()

    def run_to(self, sample: int) -> None:
        self.clock.advance(time_of(sample) - self.clock.now().timestamp())
        assert self.runner.run().error is None

    def say(self, **body):
        return self.client.post("/api/v1/feedback", json={"by": "ada", **body})

    def episodes(self) -> list[dict]:
        return self.client.get("/api/v1/episodes").get_json()["episodes"]


@pytest.fixture
def desk(tmp_path):
    clock = ManualClock(datetime.fromtimestamp(time_of(90), UTC))
    desk = Desk(tmp_path / "anomaly.db", clock)
    desk.run_to(90)
    desk.run_to(120)
    return desk


def test_no_problem_takes_effect_at_the_next_evaluation_and_undoing_it_too(desk):
    (episode,) = desk.episodes()
    answer = desk.say(kind="not-a-problem", episode=episode["id"], reason="a batch job")
    assert answer.status_code == 201
    said = answer.get_json()
    assert said["tolerated_above"] == pytest.approx(1.25 * episode["furthest_above"])
    desk.run_to(121)
    assert desk.episodes()[0]["ending"] == "not-a-problem"
    undone = desk.client.post(f"/api/v1/feedback/{said['id']}/undo", json={"by": "grace"})
    assert undone.get_json()["holds"] is False
    desk.run_to(122)
    assert desk.episodes()[0]["ended_at"] is None


def test_an_episode_has_the_labels_of_its_alert(desk):
    (episode,) = desk.episodes()
    named = {"alertname": "Anomaly", "severity": "warning", "query": "response-time"}
    assert named.items() <= episode["alert_labels"].items()
    assert episode["labels"].items() <= episode["alert_labels"].items()
    one = desk.client.get(f"/api/v1/episodes/{episode['id']}").get_json()
    assert one["alert_labels"] == episode["alert_labels"]


def test_who_said_what_and_when_stays_on_record(desk):
    said = desk.say(kind="deploy", labels={"service": "taskboard"}, reason="v2").get_json()
    desk.client.post(f"/api/v1/feedback/{said['id']}/undo", json={"by": "grace"})
    (kept,) = desk.client.get("/api/v1/feedback").get_json()["feedback"]
    assert (kept["by"], kept["reason"], kept["undone_by"]) == ("ada", "v2", "grace")
    assert kept["created_at"] == said["created_at"]
    assert kept["undone_at"] is not None


def test_what_was_said_outlives_a_restart(desk, tmp_path):
    (episode,) = desk.episodes()
    desk.say(kind="not-a-problem", episode=episode["id"])
    desk.run_to(121)
    again = Desk(tmp_path / "anomaly.db", desk.clock)
    again.run_to(140)
    (episode,) = again.episodes()
    assert episode["ending"] == "not-a-problem"


def test_an_accepted_level_becomes_the_band(desk):
    series = desk.episodes()[0]["series"]
    desk.run_to(140)
    desk.say(kind="accept", series=series)
    desk.run_to(145)
    (view,) = desk.runner.views()
    assert view.expected == pytest.approx(40, abs=1)
    assert view.score < 1


def test_a_maintenance_for_a_service_ends_what_fires(desk):
    said = desk.say(
        kind="maintenance", labels={"service": "taskboard"}, until="2099-01-01T00:00:00Z"
    )
    assert said.status_code == 201
    desk.run_to(122)
    assert desk.episodes()[0]["ending"] == "maintenance"


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"kind": "praise"}, 400, "kind"),
        ({"kind": "deploy", "by": ""}, 400, "by"),
        ({"kind": "deploy", "colour": "red"}, 400, "colour"),
        ({"kind": "not-a-problem", "episode": "none"}, 409, "no episode 'none'"),
        ({"kind": "not-a-problem", "series": "none"}, 409, "expected an episode"),
        ({"kind": "maintenance", "series": "none"}, 409, "no series 'none'"),
        ({"kind": "maintenance", "query": "none"}, 409, "no query 'none'"),
        ({"kind": "accept", "labels": {"a": "b"}}, 409, "expected an episode, a series or a query"),
        ({"kind": "exclude", "query": "response-time"}, 409, "expected starts_at"),
        ({"kind": "maintenance", "until": "2001-01-01T00:00:00Z"}, 409, "after starts_at"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(desk, body, status, told):
    answer = desk.say(**body)
    assert answer.status_code == status
    assert told in answer.get_data(as_text=True)
    assert desk.client.get("/api/v1/feedback").get_json()["feedback"] == []


@pytest.mark.parametrize("asked", ["limit=-1", "limit=ten", "limit=1000001", "open=yes"])
def test_a_question_that_cannot_be_meant_is_refused(desk, asked):
    answer = desk.client.get(f"/api/v1/episodes?{asked}")
    assert answer.status_code == 400
    assert asked.split("=")[0] in answer.get_data(as_text=True)


@pytest.mark.parametrize("body", [[], "ada", {"by": 1}, {"by": "a" * 201}])
def test_who_takes_it_back_must_be_told(desk, body):
    said = desk.say(kind="deploy").get_json()
    answer = desk.client.post(f"/api/v1/feedback/{said['id']}/undo", json=body)
    assert answer.status_code == 400
    assert desk.client.get("/api/v1/feedback").get_json()["feedback"][0]["holds"]


def test_only_what_holds_can_be_undone(desk):
    answer = desk.client.post("/api/v1/feedback/none/undo", json={"by": "ada"})
    assert answer.status_code == 409
    assert desk.client.post("/api/v1/feedback/none/undo", json={}).status_code == 400


def test_a_gap_in_the_samples_is_no_reason_to_forget_what_was_said(desk):
    (episode,) = desk.episodes()
    desk.say(kind="not-a-problem", episode=episode["id"])
    desk.runner._reader.rows["/search"][121:130] = np.nan
    desk.run_to(150)
    assert [one["ending"] for one in desk.episodes()] == ["not-a-problem"]


def test_the_oldest_open_episode_is_listed_however_many_have_ended_since(tmp_path):
    values = noise(300)
    values[150:170] += 30  # later than that of /search, and over
    desk = Desk(
        tmp_path / "anomaly.db", ManualClock(datetime.fromtimestamp(time_of(90), UTC)), other=values
    )
    desk.run_to(90)
    desk.run_to(250)

    def listed(**asked):
        found = desk.client.get("/api/v1/episodes", query_string=asked).get_json()["episodes"]
        return [(one["labels"]["http_route"], one["ended_at"] is None) for one in found]

    assert listed(limit=1) == [("other", False)]
    assert listed(limit=1, open="true") == [("/search", True)]
    assert listed(limit=0) == []
