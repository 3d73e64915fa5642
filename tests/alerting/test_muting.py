"""What is silenced, inhibited or expected waits, and is told when nothing mutes it any more."""

from __future__ import annotations

import pytest

from alerting import silences
from watchkeeper.errors import Refused
from watchkeeper.storage import reading, writing

INHIBIT = """
inhibit_rules:
  - source_matchers: ['severity="critical"']
    target_matchers: ['severity="warning"']
    equal: [service]
"""

MAINTENANCE = """
time_intervals:
  - name: monday-morning
    time_intervals: [{weekdays: [monday], times: [{start_time: "09:00", end_time: "09:30"}]}]
maintenance:
  - {name: backup, match: ['alertname="Slow"'], during: [monday-morning]}
"""


def test_a_silenced_alert_opens_no_incident_and_causes_no_action(desk, slack, endpoint):
    desk.silence('alertname="WorkerDead"')
    desk.fire()
    desk.pass_time(10)
    assert desk.incidents() == []
    assert slack.headlines == []
    assert endpoint.requests == []


def test_when_the_silence_ends_what_still_fires_is_told_and_acted_on(desk, slack, endpoint):
    desk.silence('alertname="WorkerDead"', seconds=60)
    desk.fire()
    desk.clock.advance(59)
    desk.router.review()
    assert desk.incidents() == []
    desk.clock.advance(1)
    desk.router.review()
    desk.pass_time(5)
    assert slack.headlines[0] == "🔴 critical: WorkerDead happened"
    assert len(endpoint.effects) == 1


def test_what_ended_during_its_silence_is_never_told(desk, slack):
    desk.silence('alertname="WorkerDead"', seconds=60)
    desk.fire()
    desk.clock.advance(30)
    desk.resolve()
    desk.clock.advance(31)
    desk.router.review()
    desk.deliver()
    assert desk.incidents() == []
    assert slack.headlines == []


def test_an_alert_that_had_an_incident_and_fires_again_silenced_is_told_when_it_may_be(desk, slack):
    desk.fire("Slow")
    desk.clock.advance(5)
    desk.resolve("Slow")
    desk.deliver()
    desk.silence('alertname="Slow"', seconds=60)
    desk.fire("Slow")
    desk.fire("Slow")
    assert len(desk.incidents()) == 1
    desk.clock.advance(61)
    desk.router.review()
    desk.deliver()
    assert [line[0] for line in slack.headlines] == ["🔴", "🟢", "🔴"]


def test_who_heard_it_open_hears_it_resolve_although_it_was_silenced_meanwhile(desk, slack):
    desk.fire("Slow")
    desk.deliver()
    desk.silence('alertname="Slow"')
    desk.clock.advance(5)
    desk.resolve("Slow")
    desk.deliver()
    assert [line[0] for line in slack.headlines] == ["🔴", "🟢"]


def test_a_silence_stops_an_action_that_still_waits_for_its_guards(desk, endpoint):
    desk.fire()
    desk.silence('process="worker"', seconds=60)
    desk.pass_time(30)
    assert endpoint.requests == []
    assert desk.actions()[0]["denied_by"] == ["muted"]
    desk.clock.advance(31)
    desk.router.review_all()
    desk.pass_time(5)
    assert len(endpoint.effects) == 1


def test_expiring_a_silence_lets_go_at_once(desk):
    silence_id = desk.silence('alertname="Slow"')
    desk.fire("Slow")
    with writing(desk.store.engine) as connection:
        assert silences.expire(connection, silence_id, by="ana", now=desk.clock.now())
    desk.router.review_all()
    assert desk.incident()["title"] == "Slow happened"


def test_a_silence_survives_a_restart(desk):
    desk.silence('alertname="Slow"')
    desk.close()
    desk.open()
    desk.fire("Slow")
    assert desk.incidents() == []


def test_a_silence_that_ends_before_it_starts_is_refused(desk):
    with pytest.raises(Refused, match="end after"):
        desk.silence("a=b", seconds=-1)


def test_old_silences_are_forgotten_and_the_audit_keeps_them(desk):
    desk.silence("a=b", seconds=60)
    desk.clock.advance(61 + silences.KEPT_SECONDS)
    desk.sweep()
    with reading(desk.store.engine) as connection:
        assert silences.every(connection) == []
        events = connection.exec_driver_sql("SELECT event FROM audit").scalars().all()
    assert "silenced" in events


@pytest.fixture
def inhibiting(make_desk):
    return make_desk(alerting=INHIBIT)


def test_a_warning_is_muted_while_a_critical_alert_of_the_same_service_fires(inhibiting):
    inhibiting.fire("Dead", severity="critical")
    inhibiting.fire("Slow", severity="warning")
    inhibiting.fire("Slow", severity="warning", service="bank")
    assert sorted(found["title"] for found in inhibiting.incidents()) == [
        "Dead happened",
        "Slow happened",
    ]
    inhibiting.clock.advance(5)
    inhibiting.resolve("Dead", severity="critical")
    inhibiting.router.review()
    titles = [found["title"] for found in inhibiting.incidents() if found["service"] == "shop"]
    assert titles == ["Slow happened", "Dead happened"]


def test_an_alert_that_is_source_and_target_at_once_does_not_mute_itself(make_desk):
    rule = INHIBIT.replace('severity="warning"', 'severity="critical"')
    desk = make_desk(alerting=rule)
    desk.fire("Dead")
    desk.fire("Gone")
    assert desk.incident()["title"] == "Dead happened (and 1 more)"


def test_what_is_expected_at_this_time_waits_until_it_is_over(make_desk):
    desk = make_desk(alerting=MAINTENANCE)  # the clock starts on a Monday at nine
    desk.fire("Slow")
    assert desk.incidents() == []
    desk.clock.advance(30 * 60)
    desk.router.review()
    assert desk.incident()["title"] == "Slow happened"


def test_an_alert_that_comes_and_goes_every_second_is_told_a_few_times_only(desk, slack):
    for _ in range(60):
        desk.fire("Slow")
        desk.deliver()
        desk.clock.advance(1)
        desk.resolve("Slow")
        desk.deliver()
        desk.clock.advance(1)
    assert len(desk.incidents()) == 3
    assert len(slack.headlines) == 5
    assert desk.incidents()[0]["status"] == "open"


def test_a_flapping_alert_that_stays_away_ends(desk):
    for _ in range(10):
        desk.fire("Slow")
        desk.clock.advance(1)
        desk.resolve("Slow")
    desk.clock.advance(299)
    desk.router.expire()
    assert desk.incidents()[0]["status"] == "open"
    desk.clock.advance(1)
    desk.router.expire()
    assert desk.incidents()[0]["status"] == "resolved"


def test_looking_again_is_no_change_of_the_alert(desk):
    desk.fire("Slow")
    for _ in range(20):
        desk.router.review_all()
    with reading(desk.store.engine) as connection:
        changes = connection.exec_driver_sql("SELECT count(*) FROM alert_changes").scalar()
    assert changes == 1
