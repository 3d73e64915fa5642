"""A real scheduler's jobs are told in the words of all tasks."""

import threading
from datetime import UTC, datetime, timedelta

import apscheduler.events
import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from tests.instrument.reading import value
from tests.waiting import wait_until
from watchkeeper.catalogue import tasks as catalogue
from watchkeeper.instrument.apscheduler import ApschedulerTasks
from watchkeeper.instrument.tasks import TaskMetrics


@pytest.fixture
def scheduler(registry, guard):
    metrics = TaskMetrics("shop", registry, guard, catalogue.CLOCK_SKEW.counter(registry))
    scheduler = BackgroundScheduler(timezone=UTC)
    ApschedulerTasks(metrics).listen(scheduler, apscheduler.events)
    scheduler.start()
    yield scheduler
    scheduler.shutdown(wait=True)


def tidy():
    pass


def spill():
    raise ValueError("spilled")


def finished(registry, task, outcome):
    return value(registry, "task_finished_total", queue="scheduler", task=task, outcome=outcome)


def test_a_job_is_created_started_and_finished_with_its_wait_and_run(scheduler, registry):
    scheduler.add_job(tidy)
    wait_until(lambda: finished(registry, "tidy", "succeeded") == 1, what="a tidy shop")
    for name in ("task_created_total", "task_started_total", "task_wait_seconds_count"):
        assert value(registry, name, queue="scheduler", task="tidy") == 1, name
    assert value(registry, "task_run_seconds_count", task="tidy", outcome="succeeded") == 1
    assert value(registry, "task_in_flight", queue="scheduler") == 0


def test_a_job_that_raises_has_failed(scheduler, registry):
    scheduler.add_job(spill)
    wait_until(lambda: finished(registry, "spill", "failed") == 1, what="a failed job")


def test_a_run_whose_time_has_passed_is_a_missed_schedule(scheduler, registry):
    late = datetime.now(UTC) - timedelta(seconds=60)
    scheduler.add_job(tidy, "date", run_date=late, misfire_grace_time=1)
    missed = {"task": "tidy", "reason": "misfire"}
    wait_until(
        lambda: value(registry, "task_missed_schedules_total", **missed) == 1, what="a misfire"
    )
    wait_until(
        lambda: finished(registry, "tidy", "missed") == 1, what="the end of the run that was none"
    )
    assert finished(registry, "tidy", "succeeded") == 0
    assert value(registry, "task_in_flight", queue="scheduler") == 0


def test_a_run_left_out_because_the_last_one_still_runs_is_a_missed_schedule(scheduler, registry):
    done = threading.Event()

    def slow():
        done.wait(20)

    job = scheduler.add_job(slow, "interval", seconds=0.1, max_instances=1)
    missed = {"task": job.name, "reason": "still_running"}
    try:
        wait_until(
            lambda: value(registry, "task_missed_schedules_total", **missed) >= 1, what="a miss"
        )
        assert value(registry, "task_oldest_running_seconds", queue="scheduler") > 0
    finally:
        done.set()


def test_one_off_jobs_without_end_add_no_series(scheduler, registry):
    for _ in range(50):
        scheduler.add_job(tidy)
    wait_until(lambda: finished(registry, "tidy", "succeeded") == 50, what="fifty runs")
    names = {s.labels["task"] for m in registry.collect() for s in m.samples if "task" in s.labels}
    assert names == {"tidy"}
    assert value(registry, "task_in_flight", queue="scheduler") == 0
