"""RQ's queues are read from the broker as real workers leave them."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
import redis
import rq

from agent.collector import CollectionFailed
from agent.collectors.rq import RqCollector, unix_seconds
from agent.discovery import discover
from agent.text import Renderer, TextFormat, text_of
from tests.agent.probes import Page
from tests.agent.redis_servers import serving
from tests.waiting import wait_until

pytestmark = pytest.mark.live

JOBS = "tests.instrument.rq_jobs"

WORKER = """
import sys, redis, rq
connection = redis.Redis(port=int(sys.argv[1]))
rq.Worker([rq.Queue("work", connection=connection)], connection=connection).work(
    logging_level="ERROR", burst="burst" in sys.argv
)
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("rq")) as (port, _):
        yield port


@pytest.fixture
def queue(broker):
    with redis.Redis(port=broker) as connection:
        connection.flushall()
        yield rq.Queue("work", connection=connection)


@pytest.fixture
def collector(broker):
    collector = collector_of(broker, ["work"])
    yield collector
    collector.close()


def collector_of(port, queues):
    return RqCollector(host="127.0.0.1", port=port, user=None, password="", db=0, queues=queues)


def collected(collector):
    return Page(text_of(Renderer().render(list(collector.collect())), TextFormat.PROMETHEUS))


def worker_on(broker, *options):
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(broker), *options], stderr=subprocess.DEVNULL
    )


def test_an_empty_queue_has_no_depth_and_no_age(collector, queue):
    page = collected(collector)
    for metric in ("depth", "oldest_age_seconds", "delayed", "in_flight", "stuck", "dead_letters"):
        assert page.value(f"task_queue_{metric}", queue="work") == 0, metric
    assert page.value("task_workers", queue="work") == 0


def test_the_job_that_waits_longest_gives_the_age(collector, queue):
    first = queue.enqueue(f"{JOBS}.pack")
    queue.enqueue(f"{JOBS}.pack")
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    queue.connection.hset(first.key, "enqueued_at", hour_ago)
    page = collected(collector)
    assert page.value("task_queue_depth", queue="work") == 2
    assert page.value("task_queue_oldest_age_seconds", queue="work") == pytest.approx(3600, abs=60)


def test_a_publisher_whose_clock_is_ahead_shows_as_a_negative_age(collector, queue):
    job = queue.enqueue(f"{JOBS}.pack")
    ahead = (datetime.now(UTC) + timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    queue.connection.hset(job.key, "enqueued_at", ahead)
    age = collected(collector).value("task_queue_oldest_age_seconds", queue="work")
    assert -60 <= age < -1


def test_a_job_for_later_is_delayed_and_does_not_wait(collector, queue):
    queue.enqueue_in(timedelta(hours=1), f"{JOBS}.pack")
    page = collected(collector)
    assert page.value("task_queue_delayed", queue="work") == 1
    assert page.value("task_queue_depth", queue="work") == 0


def test_a_job_that_failed_for_good_is_a_dead_letter(collector, queue, broker):
    queue.enqueue(f"{JOBS}.spoil")
    worker_on(broker, "burst").wait(20)
    page = collected(collector)
    assert page.value("task_queue_dead_letters", queue="work") == 1
    assert page.value("task_queue_depth", queue="work") == 0


def test_a_worker_is_seen_at_work_and_its_job_is_stuck_once_it_was_killed(collector, queue, broker):
    job = queue.enqueue(f"{JOBS}.tell_pid_and_sleep")
    worker = worker_on(broker)
    try:
        horse = wait_until(
            lambda: job.get_meta(refresh=True).get("pid"), what="the job being at work"
        )
        page = collected(collector)
        assert page.value("task_workers", queue="work") == 1
        assert page.value("task_workers_busy", queue="work") == 1
        assert page.value("task_queue_in_flight", queue="work") == 1
        assert page.value("task_queue_oldest_in_flight_seconds", queue="work") > 0
        assert page.value("task_queue_stuck", queue="work") == 0
    finally:
        worker.kill()
        worker.wait(20)
    os.kill(horse, signal.SIGKILL)
    let_promises_pass(queue)
    page = collected(collector)
    assert page.value("task_queue_stuck", queue="work") == 1
    assert page.value("task_workers", queue="work") == 0


def let_promises_pass(queue):
    """Have a minute and a half pass, as the broker sees it: the promises of the dead run out."""
    wip = "rq:wip:work"
    for execution, _ in queue.connection.zrange(wip, 0, -1, withscores=True):
        queue.connection.zadd(wip, {execution: time.time() - 1})
    for key in queue.connection.smembers("rq:workers"):
        queue.connection.delete(key)


def test_all_queues_that_rq_knows_are_told_of_when_none_is_named(queue, broker):
    queue.enqueue(f"{JOBS}.pack")
    rq.Queue("mail", connection=queue.connection).enqueue(f"{JOBS}.pack")
    collector = collector_of(broker, [])
    depths = {labels["queue"] for labels in collected(collector).labels("task_queue_depth")}
    collector.close()
    assert depths == {"mail", "work"}


def test_rq_is_discovered_where_it_keeps_queues_and_only_there(queue, broker):
    environment = {"RQ_REDIS_URL": f"redis://127.0.0.1:{broker}/0"}
    name = f"rq 127.0.0.1:{broker}/0"

    def problem():
        return dict(discover(["rq"], environment).refused).get(name)

    assert problem() == "RQ keeps no queues there"
    queue.enqueue(f"{JOBS}.pack")
    assert problem() is None


def test_a_broker_that_is_not_there_says_nothing_of_its_queues():
    with pytest.raises(CollectionFailed) as caught:
        collected(collector_of(1, ["work"]))
    assert not caught.value.families


@pytest.mark.parametrize("text", [None, b"", b"yesterday", 7])
def test_a_moment_that_is_none_gives_no_age(text):
    assert unix_seconds(text) is None
