"""Real RQ workers on a real broker are told in the words of all tasks."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
import redis
import rq
import time_machine
from prometheus_client import CollectorRegistry

from tests.agent.redis_servers import serving
from tests.instrument.reading import page_at, value, value_of
from tests.waiting import wait_until
from watchkeeper.instrument import Instrumentation

pytestmark = pytest.mark.live

JOBS = "tests.instrument.rq_jobs"

WORKER = """
import sys, redis, rq
from watchkeeper.instrument import Instrumentation, PageServer
instrumentation = Instrumentation("shop")
print(PageServer(instrumentation.pages()).port, flush=True)
connection = redis.Redis(port=int(sys.argv[1]))
queues = [rq.Queue(name, connection=connection) for name in sys.argv[2:]]
worker = rq.Worker(queues, connection=connection)
instrumentation.rq.watch_worker(worker)
worker.work(with_scheduler=True, logging_level="ERROR")
"""


@pytest.fixture(scope="module")
def broker_port(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("rq")) as (port, _):
        yield port


QUEUES = [f"orders-{number}" for number in range(8)]


@pytest.fixture(scope="module")
def unused_queues():
    return iter(QUEUES)


@pytest.fixture
def queue(broker_port, unused_queues):
    """A queue of the test's own, on which the worker works."""
    with redis.Redis(port=broker_port) as connection:
        yield rq.Queue(next(unused_queues), connection=connection)


@pytest.fixture(scope="module")
def page_port(broker_port):
    """Where the page of a worker is that works in a process of its own, forking for each job."""
    command = [sys.executable, "-c", WORKER, str(broker_port), *QUEUES]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    yield int(process.stdout.readline())
    process.terminate()
    process.wait(20)
    process.stdout.close()


@pytest.fixture
def worker(page_port, queue):
    """Reads what the worker tells of the queue."""
    return lambda name, **labels: value_of(page_at(page_port), name, queue=queue.name, **labels)


def test_a_job_is_created_started_and_finished_with_its_wait_and_run(queue, worker):
    registry = CollectorRegistry()
    Instrumentation("shop", registry=registry).rq.watch_queue(queue)
    queue.enqueue(f"{JOBS}.pack")
    pack = f"{JOBS}.pack"
    wait_until(
        lambda: worker("task_finished_total", task=pack, outcome="succeeded") == 1,
        what="a packed order",
    )
    assert value(registry, "task_created_total", queue=queue.name, task=pack) == 1
    assert worker("task_started_total", task=pack) == 1
    assert worker("task_wait_seconds_count", task=pack) == 1
    assert worker("task_run_seconds_count", task=pack, outcome="succeeded") == 1
    assert worker("task_in_flight") == 0


def test_a_job_that_raises_has_failed_and_is_set_aside(queue, worker):
    queue.enqueue(f"{JOBS}.spoil")
    wait_until(lambda: worker("task_finished_total", outcome="failed") == 1, what="the failed job")
    assert worker("task_dead_lettered_total") == 1


def test_a_retry_is_one_task_with_two_runs_whose_back_off_is_no_wait(queue, worker):
    queue.enqueue(f"{JOBS}.spoil", retry=rq.Retry(max=1, interval=[1]))
    wait_until(lambda: worker("task_finished_total", outcome="failed") == 1, what="the last try")
    assert worker("task_retried_total") == 1
    assert worker("task_run_seconds_count", outcome="retried") == 1
    assert worker("task_wait_seconds_count") == 2
    assert worker("task_dead_lettered_total") == 1


def test_a_job_whose_work_horse_is_killed_has_failed(queue, worker):
    job = queue.enqueue(f"{JOBS}.tell_pid_and_sleep")
    pid = wait_until(lambda: job.get_meta(refresh=True).get("pid"), what="the job being at work")
    assert worker("task_in_flight") == 1
    assert worker("task_oldest_running_seconds") > 0
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: worker("task_finished_total", outcome="failed") == 1, what="the killed job")
    assert worker("task_in_flight") == 0


def test_a_publisher_whose_clock_is_ahead_is_flagged_and_no_wait_is_invented(
    queue, worker, page_port
):
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=5)):
        queue.enqueue(f"{JOBS}.pack")
    wait_until(
        lambda: worker("task_finished_total", outcome="succeeded") == 1,
        what="the order from the future",
    )
    assert worker("task_wait_seconds_count") == 0
    assert value_of(page_at(page_port), "task_clock_skew_total", measure="wait") == 1


def test_a_job_for_later_is_created_now_and_waits_from_when_it_is_due(queue, worker):
    registry = CollectorRegistry()
    Instrumentation("shop", registry=registry).rq.watch_queue(queue)
    sent = time.monotonic()
    queue.enqueue_in(timedelta(seconds=2), f"{JOBS}.pack")
    assert value(registry, "task_created_total", queue=queue.name) == 1
    wait_until(
        lambda: worker("task_finished_total", outcome="succeeded") == 1, what="the later order"
    )
    assert worker("task_wait_seconds_sum") <= time.monotonic() - sent - 1
