"""What still fires and nobody has taken is told again after ``repeat_interval``."""

from __future__ import annotations

import pytest

from alerting.routing import stops_for

ROUTE = (
    "{receivers: [slack], repeat_interval: 4h, routes: ["
    "{match: ['alertname=\"Grave\"'], receivers: [boss], repeat_interval: 1h},"
    "{match: ['alertname=\"Mild\"']}]}"
)
OPENED, AGAIN = ("slack", "opened"), ("slack", "updated")


@pytest.fixture
def desk(make_desk):
    desk = make_desk()
    desk.add_receiver("boss")
    desk.reconfigure("", route=ROUTE)
    return desk


def wait(desk, *, hours: float) -> list[tuple[str, str]]:
    """Let time pass, looking every quarter of an hour; return all that was told, oldest first."""
    for _ in range(int(hours * 4)):
        desk.deliver()
        desk.clock.advance(900)
        desk.router.remind()
    return [(one["receiver"], one["event"]) for one in desk.deliveries()]


def test_it_is_told_again_when_the_last_word_is_long_ago(desk, slack):
    desk.fire("Mild")
    assert wait(desk, hours=3.75) == [OPENED]
    assert wait(desk, hours=4) == [OPENED, AGAIN]
    assert wait(desk, hours=4) == [OPENED, AGAIN, AGAIN]
    assert all("Mild" in line for line in slack.headlines)


def test_other_news_in_between_puts_it_off(desk):
    desk.fire("Mild")
    wait(desk, hours=3)
    desk.fire("Mild", replica="2")
    assert wait(desk, hours=3.5) == [OPENED, AGAIN]
    assert wait(desk, hours=1) == [OPENED, AGAIN, AGAIN]


def test_each_route_has_its_own_interval_or_its_parents(desk):
    settings = desk.configuration.alerting.route
    [grave] = stops_for({"alertname": "Grave"}, settings)
    [mild] = stops_for({"alertname": "Mild"}, settings)
    assert (grave.repeat_interval_seconds, mild.repeat_interval_seconds) == (3600, 4 * 3600)
    desk.fire("Grave")
    assert wait(desk, hours=1.25) == [("boss", "opened"), ("boss", "updated")]


@pytest.mark.parametrize("deed", ["acknowledge", "resolve", "silence"])
def test_what_is_taken_over_or_muted_is_not_told_again(desk, deed):
    desk.fire("Mild")
    desk.deliver()
    if deed == "acknowledge":
        desk.acknowledge()
    elif deed == "resolve":
        desk.resolve("Mild")
    else:
        desk.silence('alertname="Mild"', seconds=86400)
    before = wait(desk, hours=1)
    assert wait(desk, hours=12) == before


def test_without_an_interval_nothing_is_repeated(make_desk):
    desk = make_desk()
    desk.fire("Mild")
    assert wait(desk, hours=48) == [OPENED]
