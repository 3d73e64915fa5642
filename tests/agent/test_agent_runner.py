"""What a run leaves to be served, and for how long."""

from datetime import UTC, datetime

import pytest

from agent.collector import CollectionFailed
from agent.family import single
from agent.runner import Runner
from agent.sheet import Demand
from agent.text import TextFormat
from tests.agent.probes import Scripted, recipe
from watchkeeper.catalogue.metric import gauge
from watchkeeper.clock import ManualClock
from watchkeeper.errors import Reason, WatchkeeperError

UP = gauge("probe_up", "Whether it answers.")
INTERVAL_SECONDS, DEADLINE_SECONDS = 5.0, 4.0
LIFE_SECONDS = 3 * INTERVAL_SECONDS + DEADLINE_SECONDS


@pytest.fixture
def clock():
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def run(clock, monkeypatch):
    """Run a collector once for each step and return its runner."""

    def run_all(*steps):
        monkeypatch.setattr(Scripted, "script", steps)
        what = recipe(
            "scripted", interval_seconds=INTERVAL_SECONDS, deadline_seconds=DEADLINE_SECONDS
        )
        runner = Runner(what, clock, Demand(), phase_seconds=0.0)
        for _ in steps:
            runner.run()
        return runner

    return run_all


def well():
    """Nothing happens."""


def broken():
    raise OSError("not now")


def refused():
    raise WatchkeeperError("not now", reason=Reason.CONNECTION)


def down():
    raise CollectionFailed("down", reason=Reason.CONNECTION, families=[single(UP, 0)])


def told(runner, clock):
    text = runner.sheet(clock.monotonic_seconds()).text(TextFormat.PROMETHEUS).decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


def is_good(runner, clock):
    return runner.status(clock.monotonic_seconds()).success


@pytest.mark.parametrize("fault", [broken, refused])
def test_a_run_that_fails_leaves_what_was_said_before_until_that_expires(run, clock, fault):
    runner = run(well, fault)
    assert (is_good(runner, clock), told(runner, clock)) == (False, ["probe_scripted_run 1"])
    clock.advance(LIFE_SECONDS)
    assert told(runner, clock) == ["probe_scripted_run 1"]
    clock.advance(0.1)
    assert told(runner, clock) == []


def test_failing_again_and_again_makes_nothing_live_longer(run, clock):
    runner = run(well, broken, lambda: clock.advance(LIFE_SECONDS) or broken(), broken)
    clock.advance(0.1)
    assert told(runner, clock) == []


def test_what_a_failed_run_says_takes_the_place_of_what_was_said_before(run, clock):
    assert told(run(well, down), clock) == ["probe_up 0"]


def test_a_run_that_ends_late_has_failed_and_what_it_brings_is_told(run, clock):
    runner = run(well, lambda: clock.advance(DEADLINE_SECONDS + 0.1))
    assert (is_good(runner, clock), told(runner, clock)) == (False, ["probe_scripted_run 2"])
    assert runner.status(clock.monotonic_seconds()).reason is Reason.TIMEOUT


def test_what_a_run_brings_that_hung_for_long_is_too_old_to_be_told(run, clock):
    runner = run(lambda: clock.advance(INTERVAL_SECONDS + LIFE_SECONDS + 0.1))
    assert told(runner, clock) == []


def test_a_good_run_after_bad_ones_is_as_good_as_any(run, clock):
    runner = run(broken, lambda: clock.advance(DEADLINE_SECONDS + 1), down, well)
    status = runner.status(clock.monotonic_seconds())
    assert (status.success, status.failures, status.reason) == (True, 0, None)
    assert sum(status.errors.values()) == 3
    assert told(runner, clock) == ["probe_scripted_run 4"]


def test_what_is_kept_keeps_its_time_and_what_holds_now_has_none(run, clock):
    kept = run(well, lambda: clock.advance(1) or broken())
    assert kept.status(clock.monotonic_seconds()).collected_at == clock.monotonic_seconds() - 1
    assert run(well, down).status(clock.monotonic_seconds()).collected_at is None
