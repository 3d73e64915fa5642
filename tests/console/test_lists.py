"""Rules, agents, deliveries and the kill switch: what is watched, sent and allowed."""

import re

import pytest

from tests.console.incident_data import at
from tests.console.test_first_page import text_of

LOCAL = {"Origin": "http://localhost"}


def row_of(page, name):
    rows = re.findall(r"<tr>.*?</tr>", page.text, re.DOTALL)
    found = next(row for row in rows if name in row)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found)).strip()


def rule(name, **changes):
    return {
        "name": name, "query": "a > 1", "state": "inactive", "duration": 60, "health": "ok",
        "labels": {"severity": "critical"}, "annotations": {}, "lastError": "",
    } | changes  # fmt: skip


def test_rules_in_trouble_come_first_and_one_that_cannot_be_evaluated_says_why(neighbourhood):
    neighbourhood.prometheus.rules = [
        rule("Calm"),
        rule("Fires", state="firing"),
        rule("Broken", health="err", lastError="many-to-many matching"),
    ]
    page = neighbourhood.get("/rules")
    assert row_of(page, "Fires") == "firing Fires critical a &gt; 1 1 min never"
    assert "cannot be evaluated" in row_of(page, "Broken")
    assert "many-to-many matching" in row_of(page, "Broken")
    assert page.text.index("Fires") < page.text.index("Calm")


def test_anomaly_queries_are_listed_with_their_errors(neighbourhood):
    neighbourhood.anomaly.answers["/api/v1/queries"] = {
        "queries": [
            {"name": "cpu", "expression": "x", "detector": "robust", "state": "ready",
             "series": 4, "error": "timeout"},
        ]
    }  # fmt: skip
    assert row_of(neighbourhood.get("/rules"), "cpu") == "ready cpu robust x timeout 4 never"


def test_collectors_that_failed_come_first_and_what_nobody_said_is_not_known(neighbourhood):
    agent = {"instance": "one:8301"}
    neighbourhood.prometheus.vectors |= {
        "watchkeeper_collector_success": [
            ({**agent, "collector": "host"}, 1),
            ({**agent, "collector": "postgres"}, 0),
        ],
        "watchkeeper_collector_duration_seconds": [
            ({**agent, "collector": "host"}, 0.012),
            ({**agent, "collector": "hung"}, 70),
        ],
        "watchkeeper_collector_series": [({**agent, "collector": "host"}, 412)],
    }
    page = neighbourhood.get("/agents")
    assert row_of(page, "postgres").startswith("postgres one:8301 failed")
    assert row_of(page, "hung").startswith("hung one:8301 not known 1 min 10 s")
    assert row_of(page, "host") == "host one:8301 succeeded 12 ms – 412 –"
    text = text_of(page)
    assert text.index("postgres one:8301") < text.index("host one:8301")


def test_a_dead_letter_comes_first_with_its_error(neighbourhood):
    neighbourhood.alerting.answers["/api/v1/deliveries"] = {
        "deliveries": [
            {"id": "1", "receiver": "mail", "event": "opened", "state": "delivered",
             "attempts": 1, "created_at": at(-10), "delivered_at": at(-9), "error": None},
            {"id": "2", "receiver": "slack", "event": "opened", "state": "dead",
             "attempts": 9, "created_at": at(-99), "delivered_at": None, "error": "no_service"},
        ]
    }  # fmt: skip
    page = neighbourhood.get("/deliveries")
    assert "no_service" in row_of(page, "slack")
    assert page.text.index("slack") < page.text.index("mail")
    assert " 1 s " in row_of(page, "mail")


def test_actions_say_what_came_of_them_and_who_denied_them(neighbourhood):
    neighbourhood.alerting.answers["/api/v1/actions"] = {
        "actions": [
            {"action": "restart-service", "target": "web", "rule": "leak", "mode": "auto",
             "state": "denied", "denied_by": ["cooldown", "mode"],
             "created_at": at(-5), "summary": "wait"},
        ]
    }  # fmt: skip
    assert row_of(neighbourhood.get("/deliveries"), "restart-service").startswith(
        "denied by cooldown, mode restart-service web leak auto"
    )


@pytest.mark.parametrize(
    ("path", "part"), [("/rules", "prometheus"), ("/agents", "prometheus"), ("/rules", "anomaly")]
)
def test_a_list_whose_source_is_down_says_so(neighbourhood, path, part):
    getattr(neighbourhood, part).stop()
    page = neighbourhood.get(path)
    assert page.status_code == 200
    assert "cannot be asked." in page.text


def test_deliveries_are_not_called_none_while_alerting_is_down(neighbourhood):
    neighbourhood.alerting.stop()
    text = text_of(neighbourhood.get("/deliveries"))
    assert text.count("Alerting cannot be asked.") == 2
    assert "Nothing was sent yet" not in text


def test_the_kill_switch_is_pressed_with_a_name_and_a_reason(neighbourhood):
    neighbourhood.alerting.answers["/api/v1/pause"] = {"paused": True}
    form = {"wanted": "pause", "by": "Ada", "reason": "storm"}
    answer = neighbourhood.service.app.test_client().post(
        "/actions-switch", data=form, headers=LOCAL
    )
    assert answer.status_code == 303
    assert neighbourhood.alerting.posted == [("/api/v1/pause", {"reason": "storm", "by": "Ada"})]


@pytest.mark.parametrize(
    "form",
    [
        {"wanted": "pause", "by": "Ada", "reason": " "},
        {"wanted": "pause", "reason": "storm"},
        {"wanted": "explode", "by": "Ada", "reason": "storm"},
    ],
)
def test_the_kill_switch_asks_who_and_why(neighbourhood, form):
    answer = neighbourhood.service.app.test_client().post(
        "/actions-switch", data=form, headers=LOCAL
    )
    assert answer.status_code == 400
    assert "Say who you are and why" in answer.text
    assert neighbourhood.alerting.posted == []


def test_a_page_elsewhere_cannot_press_the_kill_switch(neighbourhood):
    form = {"wanted": "pause", "by": "Eve", "reason": "fun"}
    answer = neighbourhood.service.app.test_client().post(
        "/actions-switch", data=form, headers={"Origin": "http://evil.example"}
    )
    assert answer.status_code == 403
    assert neighbourhood.alerting.posted == []
