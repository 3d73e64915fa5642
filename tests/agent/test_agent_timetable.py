"""When a collector runs next is a pure decision."""

from hypothesis import given
from hypothesis import strategies as st

from agent.timetable import MAX_BACKOFF_SECONDS, backoff_seconds, next_due_seconds

intervals = st.floats(0.1, 3600)
times = st.floats(0, 1e7)


def test_runs_follow_each_other_at_the_interval():
    assert next_due_seconds(100.0, 100.2, 5.0, failures=0) == 105.0


def test_missed_runs_are_skipped_and_the_phase_is_kept():
    assert next_due_seconds(100.0, 121.0, 5.0, failures=0) == 125.0


def test_one_failure_costs_nothing_and_each_further_one_doubles_the_wait():
    assert [backoff_seconds(5.0, failures) for failures in range(5)] == [5, 5, 10, 20, 30]


@given(interval=intervals, failures=st.integers(0, 10_000))
def test_the_wait_is_never_shorter_than_the_interval_nor_longer_than_the_limit(interval, failures):
    wait = backoff_seconds(interval, failures)
    assert interval <= wait <= max(interval, MAX_BACKOFF_SECONDS)


@given(previous=times, late=st.floats(0, 1e5), interval=intervals, failures=st.integers(0, 20))
def test_the_next_run_never_lies_behind_and_is_within_one_wait(previous, late, interval, failures):
    now = previous + late
    due = next_due_seconds(previous, now, interval, failures)
    assert now <= due
    assert due - now <= backoff_seconds(interval, failures) + 1e-3
