"""A collector breaks, hangs or floods alone."""

import random
import threading
from datetime import UTC, datetime
from functools import partial

import pytest

from agent.exposition import Exposition
from agent.schedule import TURN_SECONDS, Schedule
from agent.text import TextFormat
from tests.agent.probes import Hanging, Page, recipe
from tests.waiting import wait_until
from watchkeeper.clock import ManualClock, SystemClock


class Watched:
    """A schedule and the page a scrape of it would get."""

    def __init__(self):
        clock = SystemClock()
        self.schedule = Schedule(clock, random.Random(1))
        self.exposition = Exposition(clock)

    def page(self):
        return Page(self.exposition.render(self.schedule, TextFormat.PROMETHEUS))

    def until(self, condition, what):
        def look():
            page = self.page()
            return page if condition(page) else None

        return wait_until(look, what=what)

    def success(self, name):
        return self.page().value("watchkeeper_collector_success", collector=name)


@pytest.fixture
def watched():
    Hanging.release.clear()
    watched = Watched()
    yield watched
    Hanging.release.set()
    watched.schedule.stop()


def threads_of(name):
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_all_run_one_right_after_another_those_that_came_later_too():
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    schedule = Schedule(clock, random.Random(1))
    often = recipe("steady", name="often", interval_seconds=5.0, lane="one")
    rarely = recipe("steady", name="rarely", interval_seconds=15.0, lane="another")
    added = recipe("steady", name="added", interval_seconds=5.0, lane="a third")
    schedule.run([often, rarely])
    clock.advance(2.3)
    schedule.run([often, rarely, added])
    runners = schedule.runners.values()
    wait_until(lambda: all(one.due_seconds > 2.3 for one in runners), what="a first run of each")
    schedule.stop()
    moments = [one.due_seconds % 5.0 for one in runners]
    assert moments == pytest.approx([moments[0] + turn * TURN_SECONDS for turn in range(3)])


def test_what_is_collected_is_served_and_told_of(watched):
    watched.schedule.run([recipe("steady")])
    page = watched.until(lambda page: page.value("probe_steady_runs"), "a first run")
    labels = {"collector": "steady"}
    assert page.value("watchkeeper_collector_success", **labels) == 1
    assert page.value("watchkeeper_collector_series", **labels) == 1
    assert page.value("watchkeeper_collector_dropped_series_total", **labels) == 0
    assert page.value("watchkeeper_collector_duration_seconds", **labels) >= 0
    assert page.value("watchkeeper_collector_last_success_age_seconds", **labels) >= 0
    assert page.labels("watchkeeper_collector_errors_total") == []


def test_a_collector_that_hangs_for_ever_costs_only_its_own_series(watched):
    watched.schedule.run(
        [
            recipe("hanging", good_runs=1, deadline_seconds=0.2),
            recipe("steady"),
        ]
    )
    watched.until(lambda page: page.value("probe_hanging"), "its one good run")
    page = watched.until(
        lambda page: page.value("watchkeeper_collector_success", collector="hanging") == 0,
        "the hang being told",
    )
    assert page.value("watchkeeper_collector_errors_total", collector="hanging") >= 1
    watched.until(lambda page: page.value("probe_hanging") is None, "its samples expiring")

    runs = watched.page().value("probe_steady_runs")
    page = watched.until(lambda page: page.value("probe_steady_runs") > runs + 3, "others going on")
    hung_for = page.value("watchkeeper_collector_last_success_age_seconds", collector="hanging")
    fresh = page.value("watchkeeper_collector_last_success_age_seconds", collector="steady")
    assert fresh < hung_for
    assert page.value("watchkeeper_collector_duration_seconds", collector="hanging") > 0.2
    assert len(threads_of("hanging")) == 1


def test_a_hung_collector_that_comes_back_is_taken_up_again(watched):
    watched.schedule.run([recipe("hanging", deadline_seconds=0.1)])
    watched.until(
        lambda page: page.value("watchkeeper_collector_success", collector="hanging") == 0,
        "the hang being told",
    )
    Hanging.release.set()
    page = watched.until(
        lambda page: page.value("watchkeeper_collector_success", collector="hanging") == 1,
        "the recovery",
    )
    assert page.value("watchkeeper_collector_errors_total", collector="hanging", reason="timeout")
    assert page.value("probe_hanging") == 1


def test_replacing_a_hung_collector_starts_no_second_run_beside_it(watched):
    watched.schedule.run([recipe("hanging", deadline_seconds=0.1)])
    wait_until(lambda: watched.success("hanging") == 0, what="the hang being told")
    replaced = watched.schedule.runners["hanging"]
    watched.schedule.run([recipe("hanging", deadline_seconds=0.2)])
    replacement = watched.schedule.runners["hanging"]
    assert replacement is not replaced
    watched.schedule.run([recipe("hanging", deadline_seconds=0.3)])
    last = watched.schedule.runners["hanging"]
    assert [runner.is_available for runner in (replaced, replacement, last)] == [False] * 3
    assert watched.success("hanging") == 0  # which its replacements tell until it is over
    Hanging.release.set()
    wait_until(lambda: watched.success("hanging") == 1, what="the replacement at work")
    assert replaced.is_over


@pytest.mark.parametrize("good_runs", [0, 1])
def test_a_server_that_is_asked_for_ever_is_told_to_be_down(watched, good_runs):
    watched.schedule.demand.is_pushed = True
    server = partial(recipe, "hanging-server", good_runs=good_runs)
    watched.schedule.run([server(deadline_seconds=0.2)])
    page = watched.until(lambda page: page.value("probe_up") == 0, "the server being down")
    labels = {"collector": "hanging-server"}
    assert page.value("watchkeeper_collector_success", **labels) == 0
    assert page.value("watchkeeper_collector_series", **labels) == 1
    assert page.value("watchkeeper_collector_errors_total", **labels, reason="timeout") >= 1
    assert page.value("probe_hanging") is None
    pushed = Exposition(SystemClock()).readings(watched.schedule)[0]
    assert [family.metric.name for family in pushed.families] == ["probe_up"]

    watched.schedule.run([server(deadline_seconds=0.3)])
    assert watched.page().value("probe_up") == 0  # nothing is known that would be newer
    Hanging.release.set()
    watched.until(
        lambda page: (page.value("probe_hanging"), page.value("probe_up")) == (1, None),
        "what the server says now",
    )


def test_a_collector_that_hangs_holds_up_its_lane_only_until_it_is_relieved(watched):
    watched.schedule.run(
        [
            recipe("hanging", deadline_seconds=0.1, lane="shared"),
            recipe("steady", lane="shared"),
        ]
    )

    def others_go_on():
        watched.schedule.look_after()
        return (watched.page().value("probe_steady_runs") or 0) > 3

    wait_until(others_go_on, what="others of the lane going on")
    assert watched.success("hanging") == 0
    assert len(threads_of("shared")) == 2
    Hanging.release.set()
    wait_until(lambda: len(threads_of("shared")) == 1, what="the hung thread ending")
    wait_until(lambda: watched.success("hanging") == 1, what="the hung one back in its lane")


def test_a_lane_that_is_busy_for_long_is_relieved_once_for_each_hang(watched):
    watched.schedule.run([recipe("hanging", lane="shared"), recipe("steady", lane="shared")])

    def relieved():
        watched.schedule.look_after()
        return len(threads_of("shared")) == 2

    wait_until(relieved, what="the lane being relieved")
    runs = watched.page().value("probe_steady_runs") or 0
    for _ in range(5):
        watched.schedule.look_after()
    watched.until(lambda page: (page.value("probe_steady_runs") or 0) > runs + 3, "others going on")
    assert len(threads_of("shared")) == 2


def test_what_a_failed_run_could_say_is_served_with_its_reason(watched):
    watched.schedule.run([recipe("failing")])
    page = watched.until(lambda page: page.value("probe_up") == 0, "what it could say")
    assert page.value("watchkeeper_collector_success", collector="failing") == 0
    errors = page.labels("watchkeeper_collector_errors_total")
    assert errors == [{"collector": "failing", "reason": "connection"}]


def test_what_a_failed_run_could_say_outlives_the_wait_for_the_next_one(watched):
    watched.schedule.run([recipe("failing")])
    watched.until(lambda page: page.value("probe_up") == 0, "what it could say")
    runner = watched.schedule.runners["failing"]
    in_the_longest_wait = SystemClock().monotonic_seconds() + runner.recipe.interval_seconds
    assert runner.sheet(in_the_longest_wait).names


def test_a_bug_in_a_collector_is_counted_and_stops_nobody_else(watched):
    watched.schedule.run([recipe("broken"), recipe("steady")])
    page = watched.until(
        lambda page: (page.value("probe_steady_runs") or 0) > 2 and "unexpected" in page.text,
        "the bug being counted",
    )
    assert page.value("watchkeeper_collector_success", collector="broken") == 0
    assert page.value("watchkeeper_collector_success", collector="steady") == 1


def test_a_flood_of_series_is_cut_at_the_cap_and_counted(watched):
    watched.schedule.run([recipe("many", max_series=30)])
    page = watched.until(lambda page: page.labels("probe_many"), "the flood")
    assert len(page.labels("probe_many")) == 30
    assert page.value("watchkeeper_collector_dropped_series_total", collector="many") % 70 == 0


def test_a_collector_that_fails_with_a_flood_is_cut_at_the_cap_too(watched):
    watched.schedule.run([recipe("failing", families=100, max_series=30)])
    page = watched.until(lambda page: page.labels("probe_up"), "what it could say")
    assert len(page.labels("probe_up")) == 30
    assert page.value("watchkeeper_collector_series", collector="failing") == 30


def test_a_collector_that_says_the_same_again_is_not_written_again(watched):
    watched.schedule.run([recipe("failing")])
    watched.until(lambda page: page.value("probe_up") == 0, "what it could say")
    runner = watched.schedule.runners["failing"]
    before = runner._status
    wait_until(lambda: runner._status.failures > before.failures, what="another run")
    assert runner._status.sheet is before.sheet


def test_a_changed_configuration_leaves_what_did_not_change_at_work(watched):
    watched.schedule.run([recipe("steady", name="kept"), recipe("broken")])
    kept = watched.schedule.runners["kept"]
    watched.schedule.run([recipe("steady", name="kept"), recipe("failing")])
    assert watched.schedule.runners["kept"] is kept
    assert list(watched.schedule.runners) == ["kept", "failing"]
    wait_until(lambda: not threads_of("broken"), what="the removed collector ending")


def test_a_hang_is_logged_once(watched, caplog):
    watched.schedule.run([recipe("hanging", deadline_seconds=0.05)])
    wait_until(lambda: watched.success("hanging") == 0, what="the hang being told")
    for _ in range(3):
        watched.schedule.look_after()
    told = [record for record in caplog.records if record.message == "collector hangs"]
    assert [record.collector for record in told] == ["hanging"]
