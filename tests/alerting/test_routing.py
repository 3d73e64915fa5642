"""Who is told, and when: the route tree and its times, in Alertmanager's way."""

from __future__ import annotations

import pytest

NIGHT = """
time_intervals:
  - {name: night, time_intervals: [{times: [{start_time: '08:00', end_time: '09:30'}]}]}
  - {name: office, time_intervals: [{times: [{start_time: '09:30', end_time: '17:00'}]}]}
"""


@pytest.fixture
def routed(make_desk):
    def make(route: str):
        desk = make_desk()
        desk.add_receiver("boss")
        desk.reconfigure(NIGHT, route=route)
        return desk

    return make


def told(desk) -> list[tuple[str, str]]:
    return [(one["receiver"], one["event"]) for one in desk.deliveries()]


@pytest.mark.parametrize(
    "times", ["mute_time_intervals: [night]", "active_time_intervals: [office]"]
)
def test_a_silent_route_holds_back_until_its_time(routed, times):
    desk = routed(f"{{receivers: [slack], {times}}}")
    desk.fire("Down")
    assert told(desk) == []
    desk.clock.advance(29 * 60)
    desk.router.review()
    assert told(desk) == []
    desk.clock.advance(60)
    desk.router.review()
    assert told(desk) == [("slack", "opened")]


def test_an_alert_with_one_route_that_speaks_is_told_there(routed):
    desk = routed(
        "{receivers: [slack], routes: ["
        "{match: ['alertname=Down'], mute_time_intervals: [night], continue: true},"
        "{match: ['alertname=Down'], receivers: [boss]}]}"
    )
    desk.fire("Down")
    assert told(desk) == [("boss", "opened")]


def test_times_are_not_inherited(routed):
    desk = routed(
        "{receivers: [slack], mute_time_intervals: [night], routes: [{match: ['alertname=Down']}]}"
    )
    desk.fire("Down")
    assert told(desk) == [("slack", "opened")]


def test_a_commit_names_the_receivers_it_may_have_made_work_for(desk):
    named = []
    desk.router._on_commit = named.append
    desk.fire("Slow")
    desk.fire("Slow")  # a renewal: nothing happened
    desk.resolve("Slow")
    assert named == [{"slack"}, {"slack"}]
