"""The clock: one hanging job stops no other, and what did not run is counted."""

import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from anomaly.jobs import LONGEST_SPREAD_SECONDS, Jobs, spread_seconds
from tests.waiting import wait_until


@pytest.fixture
def told():
    return {"missed": Counter(), "failed": [], "ran": threading.Event()}


@pytest.fixture
def jobs(told):
    one = Jobs(
        missed=lambda name: told["missed"].update([name]),
        failed=lambda name, error: told["failed"].append((name, str(error))),
    )
    one.start()
    yield one
    if one.is_running:
        one.stop()


def test_a_job_that_hangs_is_counted_and_the_others_run_on(jobs, told):
    release = threading.Event()
    runs = Counter()
    jobs.every(0.1, "hangs", lambda: release.wait(30))
    jobs.every(0.1, "works", lambda: runs.update(["works"]))
    try:
        wait_until(lambda: told["missed"]["hangs"] >= 2, what="misses of the hanging job")
        before = runs["works"]
        wait_until(lambda: runs["works"] > before + 2, what="runs of the other job")
        assert told["missed"]["works"] == 0
    finally:
        release.set()


def test_a_job_that_breaks_is_told_and_runs_again(jobs, told):
    def broken():
        raise RuntimeError("out of order")

    jobs.every(0.1, "breaks", broken)
    wait_until(lambda: len(told["failed"]) >= 2, what="two failures")
    assert told["failed"][0] == ("breaks", "out of order")


def test_a_job_of_the_same_name_takes_the_place_of_the_first(jobs):
    runs = Counter()
    jobs.every(0.1, "one", lambda: runs.update(["old"]))
    jobs.every(0.1, "one", lambda: runs.update(["new"]))
    wait_until(lambda: runs["new"] >= 2, what="runs of the new job")
    before = runs["old"]
    wait_until(lambda: runs["new"] >= 5, what="more runs of the new job")
    assert runs["old"] <= before + 1


def test_start_times_are_spread_and_stay_where_they_were():
    offsets = [spread_seconds(f"query-{at}", 60.0) for at in range(100)]
    assert offsets == [spread_seconds(f"query-{at}", 60.0) for at in range(100)]
    assert all(0 <= offset < LONGEST_SPREAD_SECONDS for offset in offsets)
    assert max(offsets) - min(offsets) > LONGEST_SPREAD_SECONDS / 2


def test_a_job_that_is_wanted_soon_does_not_wait_for_its_time(jobs):
    ran = threading.Event()
    jobs.every(3_600.0, "hourly", ran.set)
    jobs.soon("hourly")
    jobs.soon("one that is gone")
    assert ran.wait(60)


def test_slow_work_that_waits_its_turn_is_not_done_once_the_clock_is_stopped(jobs):
    begun, release, order = threading.Event(), threading.Event(), []

    def first() -> None:
        begun.set()
        release.wait(60)
        order.append("first")

    jobs.every(3_600.0, "first", first, slow_after_seconds=0.0)
    jobs.soon("first")
    assert begun.wait(60)
    jobs.every(3_600.0, "second", lambda: order.append("second"), slow_after_seconds=0.0)
    jobs.soon("second")
    pool = jobs._scheduler._executors["slow"]._pool
    wait_until(lambda: pool._work_queue.qsize() == 1, what="the second waiting for the first")
    jobs.stop()
    release.set()
    pool.shutdown(wait=True)
    assert order == ["first"]


class SetBack:
    """A wall clock that is set back by an hour at the first call of ``set``."""

    def __init__(self) -> None:
        self._back = timedelta()

    def set(self) -> None:
        self._back = timedelta(hours=1)

    def now(self) -> datetime:
        return datetime.now(UTC) - self._back

    def monotonic_seconds(self) -> float:
        return time.monotonic()


def test_when_the_clock_is_set_back_no_job_waits_longer_than_its_interval(told):
    clock = SetBack()
    jobs = Jobs(missed=told["missed"].update, failed=lambda *_: None, clock=clock)
    late, in_time = threading.Event(), threading.Event()
    jobs.start()
    jobs.every(1_800, "due in an hour", late.set, slow_after_seconds=3_600)
    jobs.every(7_200, "due within its interval", in_time.set, slow_after_seconds=3_600)
    try:
        jobs.follow_clock()
        assert not late.is_set()
        clock.set()
        assert late.wait(60)
        jobs.every(60, "after them", told["ran"].set, slow_after_seconds=0.1)
        assert told["ran"].wait(60)  # in the same queue of slow work
        assert not in_time.is_set()
    finally:
        jobs.stop()
