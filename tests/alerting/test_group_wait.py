"""Where a route says ``group_wait``, a first message waits for what joins its incident."""

from __future__ import annotations

import pytest

from alerting.app import Alerting
from alerting.routing import stops_for
from tests.alerting.desk import ALERTING, RULES
from watchkeeper.clock import format_rfc3339

ROUTE = (
    "{receivers: [slack], group_wait: 30s, routes: ["
    "{match: ['alertname=\"Grave\"'], receivers: [boss], group_wait: 0s, continue: true},"
    "{match: ['service=\"shop\"']}]}"
)


@pytest.fixture
def desk(make_desk):
    desk = make_desk()
    desk.add_receiver("boss")
    desk.reconfigure("", route=ROUTE)
    return desk


def after(desk, seconds: float) -> list[tuple[str, str]]:
    """Let time pass; return what has been due so far, oldest first."""
    desk.clock.advance(seconds)
    desk.deliver()
    now = format_rfc3339(desk.clock.now())
    # Only Slack's are made here: the others' count as soon as they are due.
    made = [
        one
        for one in desk.deliveries()
        if one["state"] == "delivered"
        or (one["receiver"] != "slack" and one["next_attempt_at"] <= now)
    ]
    return sorted((one["receiver"], one["event"]) for one in made)


def story(desk) -> str:
    return " ".join(entry["text"] for entry in desk.incident()["timeline"])


def test_the_first_message_waits_and_tells_of_all_that_joined(desk, slack):
    desk.fire("Slow", replica="1")
    assert after(desk, 29) == []
    desk.fire("Slow", replica="2")
    assert after(desk, 1) == [("slack", "opened")]
    assert slack.headlines == ["🔴 critical: Slow happened (and 1 more)"]
    # Nothing is left to be told: what joined was in the first message.
    assert after(desk, 120) == [("slack", "opened")]


def test_what_comes_afterwards_is_an_update_at_its_own_distance(desk):
    desk.fire("Slow", replica="1")
    after(desk, 30)
    desk.fire("Slow", replica="2")
    assert after(desk, 20) == [("slack", "opened")]
    assert after(desk, 10) == [("slack", "opened"), ("slack", "updated")]


def test_a_branch_may_be_more_impatient_than_its_parent(desk):
    [grave, rest] = stops_for({"alertname": "Grave", "service": "shop"}, route(desk))
    assert (grave.group_wait_seconds, rest.group_wait_seconds) == (0, 30)
    desk.fire("Grave")
    assert after(desk, 0) == [("boss", "opened")]
    assert after(desk, 30) == [("boss", "opened"), ("slack", "opened")]


def route(desk):
    return desk.configuration.alerting.route


def test_what_is_over_within_the_wait_is_told_to_those_only_who_heard_of_it(desk, slack):
    desk.fire("Grave")
    after(desk, 10)
    desk.resolve("Grave")
    assert after(desk, 300) == [("boss", "opened"), ("boss", "resolved")]
    assert slack.headlines == []
    assert "over within the group_wait: slack was not told" in story(desk)


def test_the_next_episode_waits_anew(desk):
    desk.fire("Slow")
    after(desk, 10)
    desk.resolve("Slow")
    after(desk, 10)
    desk.fire("Slow")
    assert after(desk, 29) == []
    assert after(desk, 1) == [("slack", "opened")]
    desk.resolve("Slow")
    assert after(desk, 1) == [("slack", "opened"), ("slack", "resolved")]


def test_a_silence_taken_within_the_wait_holds(desk, slack):
    desk.fire("Slow")
    after(desk, 10)
    desk.silence('alertname="Slow"', seconds=120)
    assert after(desk, 100) == []
    desk.clock.advance(30)
    desk.router.review()
    assert after(desk, 15) == [("slack", "opened")]
    assert len(slack.headlines) == 1


def test_what_ended_under_such_a_silence_is_not_told(desk, slack):
    desk.fire("Slow")
    desk.silence('alertname="Slow"', seconds=120)
    assert after(desk, 60) == []
    desk.resolve("Slow")
    assert after(desk, 300) == []
    assert slack.headlines == []


def test_the_wait_goes_on_after_a_restart(desk, slack):
    desk.fire("Slow")
    desk.close()
    desk.open()
    assert after(desk, 29) == []
    assert after(desk, 1) == [("slack", "opened")]
    assert len(slack.headlines) == 1


@pytest.mark.parametrize("wait", ["-1s", "soon", "2h"])
def test_a_wait_that_is_none_is_refused_with_its_place(desk, wait):
    text = desk.alerting_file.read_text().replace("group_wait: 30s", f"group_wait: {wait}")
    desk.alerting_file.write_text(text)
    desk.configuration.reload_if_changed()
    assert "route.group_wait: expected" in str(desk.configuration.problems())
    assert route(desk).group_wait_seconds == 30


@pytest.mark.usefixtures("slack")
def test_without_a_wait_the_first_message_goes_at_once(make_desk):
    desk = make_desk()
    desk.fire("Slow")
    assert after(desk, 0) == [("slack", "opened")]


@pytest.mark.usefixtures("slack")
def test_a_wait_that_is_wanted_is_not_called_a_delay(tmp_path, clock):
    (tmp_path / "alerting.yml").write_text(ALERTING.replace("{rec", "{group_wait: 10m, rec"))
    (tmp_path / "remediation.yml").write_text(RULES.replace("DEDUPLICATES", "true"))
    service = Alerting(
        tmp_path / "alerting.yml", tmp_path / "remediation.yml", data_dir=tmp_path, clock=clock
    )
    client = service.service.app.test_client()

    def oldest_seconds():
        lines = client.get("/metrics").text.splitlines()
        name = 'watchkeeper_outbox_oldest_pending_seconds{receiver="slack"} '
        return float(next(line for line in lines if line.startswith(name)).removeprefix(name))

    try:
        labels = {"alertname": "Slow", "service": "shop"}
        assert client.post("/api/v2/alerts", json=[{"labels": labels}]).status_code == 200
        clock.advance(300)
        assert oldest_seconds() == 0
        clock.advance(400)
        assert oldest_seconds() == 100
    finally:
        service.stop()
