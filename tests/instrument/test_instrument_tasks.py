"""The vocabulary that the hooks of every queue report to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from watchkeeper.catalogue import tasks as catalogue
from watchkeeper.instrument.guard import Guard
from watchkeeper.instrument.interval import SKEW_TOLERANCE_SECONDS, between_clocks
from watchkeeper.instrument.tasks import TaskMetrics

OUTCOMES = ["succeeded", "failed", "rejected", "revoked", "missed"]


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


def vocabulary(registry, clock):
    skew = catalogue.CLOCK_SKEW.counter(registry)
    return TaskMetrics("shop", registry, Guard(registry), skew, clock, clock)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tasks(registry, clock):
    return vocabulary(registry, clock)


def test_a_task_that_hangs_shows_while_it_hangs(tasks, registry, clock):
    tasks.began("1", "orders", "pack", None)
    clock.now += 60
    tasks.began("2", "orders", "pack", None)
    labels = {"service": "shop", "queue": "orders"}
    clock.now += 1
    assert registry.get_sample_value("task_oldest_running_seconds", labels) == 61
    tasks.ended("1", "succeeded")
    assert registry.get_sample_value("task_oldest_running_seconds", labels) == 1
    tasks.ended("2", "succeeded")
    assert registry.get_sample_value("task_oldest_running_seconds", labels) == 0


def test_a_wait_that_nobody_knows_is_not_made_up(tasks, registry):
    tasks.began("1", "orders", "pack", None)
    labels = {"service": "shop", "queue": "orders", "task": "pack"}
    assert not registry.get_sample_value("task_wait_seconds_count", labels)
    assert registry.get_sample_value("task_started_total", labels) == 1


def test_the_end_of_a_run_that_was_never_seen_to_begin_changes_nothing(tasks, registry):
    tasks.ended("unknown", "succeeded")
    assert not [m for m in registry.collect() for s in m.samples if s.name == "task_finished_total"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["begin", "end", "retry"]),
            st.integers(0, 3),
            st.sampled_from(OUTCOMES),
        )
    )
)
def test_what_was_started_has_finished_or_is_retried_or_is_in_flight(steps):
    registry = CollectorRegistry()
    tasks = vocabulary(registry, Clock())
    running = set()
    for step, run, outcome in steps:
        if step == "begin" and run not in running:
            running.add(run)
            tasks.began(run, "orders", "pack", None)
        elif step != "begin":
            running.discard(run)
            tasks.ended(run, outcome if step == "end" else "retried")
    total = {
        name: sum(s.value for m in registry.collect() for s in m.samples if s.name == name)
        for name in (
            "task_started_total", "task_finished_total", "task_retried_total", "task_in_flight",
            "task_run_seconds_count",
        )
    }  # fmt: skip
    ended = total["task_finished_total"] + total["task_retried_total"]
    assert total["task_run_seconds_count"] == ended
    assert total["task_started_total"] == ended + total["task_in_flight"]
    assert total["task_in_flight"] == len(running)


moments = st.floats(min_value=0, max_value=4e9)


@given(start=moments, end=moments)
def test_an_interval_is_never_negative_and_skew_is_never_hidden(start, end):
    elapsed = between_clocks(start, end)
    if elapsed is None:
        assert start - end > SKEW_TOLERANCE_SECONDS
    else:
        assert elapsed >= 0
        assert elapsed == max(0.0, end - start)
