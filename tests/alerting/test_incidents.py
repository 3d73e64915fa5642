"""One incident for each episode of a group."""

from __future__ import annotations

import pytest

from tests.alerting.desk import alert


def test_alerts_of_one_service_are_one_incident_with_the_gravest_severity(desk):
    desk.fire("Slow", severity="warning")
    desk.fire("Dead", severity="critical")
    desk.fire("Note", severity="info")
    found = desk.incident()
    assert found["severity"] == "critical"
    assert found["title"] == "Dead happened (and 2 more)"
    assert [entry["kind"] for entry in found["timeline"]] == ["detected", "updated", "updated"]


def test_alerts_of_two_services_are_two_incidents(desk):
    desk.fire("Slow", service="shop")
    desk.fire("Slow", service="bank")
    assert {found["service"] for found in desk.incidents()} == {"shop", "bank"}


def test_it_resolves_with_its_last_alert_and_not_before(desk):
    desk.fire("Slow")
    desk.fire("Dead")
    desk.clock.advance(5)
    desk.resolve("Slow")
    assert desk.incident()["status"] == "open"
    desk.resolve("Dead")
    found = desk.incident()
    assert found["status"] == "resolved"
    assert found["resolved_at"] == "2026-01-05T09:00:05.000Z"
    assert desk.kinds()[-1] == "resolved"


def test_an_alert_that_fires_again_after_the_end_is_a_new_incident(desk):
    desk.fire("Dead")
    desk.clock.advance(5)
    desk.resolve("Dead")
    desk.clock.advance(5)
    desk.fire("Dead")
    assert [found["status"] for found in desk.incidents()] == ["open", "resolved"]


def test_a_client_that_repeats_itself_changes_nothing(desk):
    desk.fire("Dead")
    before = desk.incident()
    for _ in range(5):
        desk.clock.advance(15)
        desk.router.accept([alert("Dead", at=desk.clock.now())])
    assert desk.incident() == before
    assert len(desk.deliveries()) == 1


def test_a_batch_that_swaps_one_alert_for_another_keeps_the_incident(desk):
    desk.fire("Dead")
    desk.clock.advance(5)
    now = desk.clock.now()
    desk.router.accept([alert("Dead", ends=now), alert("Slow", at=now)])
    assert desk.incident()["status"] == "open"


def test_the_same_alert_twice_in_a_batch_is_one_alert(desk):
    desk.router.accept([alert("Dead"), alert("Dead")])
    assert desk.kinds() == ["detected"]


def test_a_batch_that_says_an_alert_fired_and_ended_tells_both(desk, slack):
    desk.clock.advance(5)
    desk.router.accept([alert("Dead"), alert("Dead", ends=desk.clock.now())])
    desk.deliver()
    assert desk.incident()["status"] == "resolved"
    assert [line[0] for line in slack.headlines] == ["🔴", "🟢"]


def test_the_end_of_an_earlier_episode_sent_again_does_not_end_the_next(desk):
    desk.fire("Dead")
    desk.clock.advance(10)
    first_end = desk.clock.now()
    desk.resolve("Dead")
    desk.clock.advance(10)
    second_start = desk.clock.now()
    for _ in range(5):
        desk.router.accept([alert("Dead", ends=first_end), alert("Dead", at=second_start)])
        desk.clock.advance(15)
    assert [found["status"] for found in desk.incidents()] == ["open", "resolved"]
    assert len(desk.incidents()[0]["timeline"]) == 1


def test_a_client_that_never_says_when_it_started_does_not_move_the_start(desk):
    for _ in range(3):
        desk.router.accept([alert("Dead", at=desk.clock.now())])
        desk.clock.advance(15)
    desk.router.accept([alert("Dead", ends=desk.clock.now())])
    assert desk.incident()["status"] == "resolved"
    assert desk.incident()["started_at"] == "2026-01-05T09:00:00.000Z"


def test_an_end_that_was_never_seen_to_begin_is_no_incident(desk):
    desk.clock.advance(5)
    desk.resolve("Dead")
    assert desk.incidents() == []


def test_an_alert_nobody_renews_ends_by_itself(desk):
    desk.router.accept([alert("Dead", ends=desk.clock.now().replace(minute=5))])
    desk.clock.advance(299)
    desk.router.expire()
    assert desk.incident()["status"] == "open"
    desk.clock.advance(1)
    desk.router.expire()
    assert desk.incident()["status"] == "resolved"


def test_it_began_when_its_first_alert_began(desk):
    desk.clock.advance(60)
    desk.fire("Slow")
    desk.router.accept([alert("Dead", at=desk.clock.now().replace(minute=0, second=30))])
    assert desk.incident()["started_at"] == "2026-01-05T09:00:30.000Z"


@pytest.mark.parametrize("severity", ["apocalyptic", ""])
def test_a_strange_severity_counts_as_a_warning(desk, severity):
    desk.fire("Odd", severity=severity)
    assert desk.incident()["severity"] == "warning"


def test_an_alert_without_a_service_still_has_an_incident(desk):
    desk.fire("Odd", service="")
    assert desk.incident()["service"] == "unknown"
