"""Workers' events are overheard from a real Celery worker, and missed where there are none."""

import base64
import json
import subprocess
import sys

import pytest
import redis
from celery import Celery

from agent.celery.tally import OTHER
from agent.collector import CollectionFailed
from agent.collectors.celery import CeleryCollector
from agent.text import Renderer, TextFormat, text_of
from tests.agent.probes import Page
from tests.agent.redis_servers import serving
from tests.waiting import wait_until

pytestmark = pytest.mark.live

APPLICATION = """
import os, threading
from celery import Celery
from celery.exceptions import Reject
shop = Celery("shop", broker=os.environ["BROKER"])
shop.conf.update(
    task_default_queue="work", task_ignore_result=True, task_acks_late=True,
    broker_connection_retry_on_startup=True,
)

@shop.task(name="shop.pack")
def pack():
    pass

@shop.task(name="shop.spoil")
def spoil():
    raise ValueError("rotten")

@shop.task(name="shop.again", bind=True)
def again(self):
    if self.request.retries == 0:
        raise self.retry(countdown=0)

@shop.task(name="shop.hang")
def hang():
    threading.Event().wait(60)
"""


@pytest.fixture
def broker(tmp_path):
    with serving(tmp_path / "broker") as (port, _):
        yield port


@pytest.fixture
def publisher(broker):
    application = Celery("shop", broker=f"redis://127.0.0.1:{broker}/0")
    application.conf.task_send_sent_event = True
    yield lambda name, **options: application.send_task(name, queue="work", **options)
    application.close()


@pytest.fixture
def collector(broker):
    collector = CeleryCollector(
        host="127.0.0.1", port=broker, user=None, password="", db=0, key_prefix="", queues=["work"]
    )
    collected(collector)  # it listens from now on
    yield collector
    collector.close()


@pytest.fixture
def start_worker(broker, tmp_path):
    """Starts workers that end with the test."""
    (tmp_path / "shop.py").write_text(APPLICATION)
    workers = []

    def start(*options):
        command = [sys.executable, "-m", "celery", "-A", "shop", "worker", "-P", "solo"]
        worker = subprocess.Popen(
            [*command, "-Q", "work", *options],
            cwd=tmp_path,
            env={"BROKER": f"redis://127.0.0.1:{broker}/0", "PYTHONPATH": str(tmp_path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.kill()
        worker.wait(20)


def collected(collector):
    return written(collector.collect())


def written(families):
    return Page(text_of(Renderer().render(list(families)), TextFormat.PROMETHEUS))


def test_each_event_of_a_worker_is_counted_under_celery_exporters_names(
    collector, publisher, start_worker
):
    start_worker("-E", "-n", "packer@shop")
    publisher("shop.pack")
    publisher("shop.spoil")
    publisher("shop.again")
    pack = {"name": "shop.pack", "queue_name": "work"}
    wait_until(
        lambda: collected(collector).value("celery_task_succeeded_total", name="shop.again") == 1,
        what="the last task's event",
    )
    page = collected(collector)
    for event in ("sent", "received", "started", "succeeded"):
        assert page.value(f"celery_task_{event}_total", **pack) == 1, event
    assert page.value("celery_task_failed_total", name="shop.spoil", exception="ValueError") == 1
    assert page.value("celery_task_retried_total", name="shop.again") == 1
    assert page.value("celery_task_runtime_count", **pack) == 1
    assert page.value("celery_task_runtime_bucket", le="+Inf", **pack) == 1
    assert page.value("celery_worker_up", hostname="packer@shop") == 1
    assert page.value("celery_worker_tasks_active", hostname="packer@shop") == 0
    assert page.value("celery_active_worker_count", queue_name="work") == 1
    assert page.value("task_last_event_age_seconds") < 20
    assert page.value("task_event_gap") == 0


def test_a_worker_without_events_fakes_no_health(collector, publisher, start_worker):
    for _ in range(3):
        publisher("shop.pack")
    assert collected(collector).value("task_queue_depth", queue="work") == 3
    start_worker("-n", "packer@shop")
    wait_until(
        lambda: (
            collected(collector).value("celery_worker_up", hostname="packer@shop") == 1
            and collected(collector).value("task_event_gap") == 3
        ),
        what="the worker's heartbeat and the gap",
    )
    page = collected(collector)
    assert page.value("task_queue_depth", queue="work") == 0
    assert page.value("task_workers", queue="work") == 1
    assert page.value("celery_task_succeeded_total", name="shop.pack") is None
    assert page.value("task_event_gap") == 3
    assert page.value("task_last_event_age_seconds") is None  # a heartbeat tells of no task


def test_the_task_of_a_worker_that_was_killed_is_stuck(collector, publisher, start_worker):
    worker = start_worker()
    wait_until(
        lambda: collected(collector).value("task_workers", queue="work") == 1, what="the worker"
    )
    publisher("shop.hang")
    wait_until(
        lambda: collected(collector).value("task_queue_in_flight", queue="work") == 1,
        what="the task being taken",
    )
    assert collected(collector).value("task_queue_stuck", queue="work") == 0
    worker.kill()
    worker.wait(20)
    wait_until(
        lambda: collected(collector).value("task_queue_stuck", queue="work") == 1,
        what="the stuck task",
    )
    assert collected(collector).value("task_queue_oldest_in_flight_seconds", queue="work") > 0


def test_what_is_no_event_is_passed_over(collector, broker):
    with redis.Redis(port=broker) as client:
        client.publish("/0.celeryev/task.sent", "not json")
        client.publish("/0.celeryev/task.sent", published({"type": "task-sent", "uuid": "1"}))
    assert collected(collector).value("celery_task_sent_total", name=OTHER) == 1


def test_odd_events_cost_neither_the_depth_nor_the_events_beside_them(collector, broker):
    odd = {"type": "worker-heartbeat", "hostname": "a", "active": [1]}
    good = {"type": "task-sent", "uuid": "1"}
    with redis.Redis(port=broker) as client:
        client.rpush("work", "{}")
        client.publish("/0.celeryev/worker.heartbeat", published([odd, good]))
        client.publish("/0.celeryev/worker.heartbeat", "[" * 200_000)
    page = collected(collector)
    assert page.value("task_queue_depth", queue="work") == 1
    assert page.value("celery_task_sent_total", name=OTHER) == 1


def test_two_applications_that_share_a_broker_tell_no_series_twice(collector, broker):
    other = CeleryCollector(
        host="127.0.0.1",
        port=broker,
        user=None,
        password="",
        db=0,
        key_prefix="shop:",
        queues=["packing"],
    )
    series = [
        (sample.name, tuple(sample.labels.items()))
        for one in (collector, other)
        for sample in collected(one).samples
    ]
    other.close()
    assert ("task_event_gap", (("broker", f"127.0.0.1:{broker}/0 shop:"),)) in series
    assert len(series) == len(set(series))


def test_what_waits_is_told_when_the_events_are_lost(collector, broker):
    with redis.Redis(port=broker) as client:
        client.rpush("work", "{}")
        client.client_kill_filter(_type="pubsub")
        with pytest.raises(CollectionFailed) as caught:
            collected(collector)
    assert written(caught.value.families).value("task_queue_depth", queue="work") == 1


def test_a_lost_connection_is_made_again_and_what_was_counted_stays(collector, broker):
    with redis.Redis(port=broker) as client:
        client.publish("/0.celeryev/task.sent", published({"type": "task-sent", "uuid": "1"}))
        assert collected(collector).value("celery_task_sent_total", name=OTHER) == 1
        client.client_kill_filter(_type="pubsub")
        client.client_kill_filter(_type="normal", skipme=True)
        wait_until(lambda: told(collector), what="the broker being told of again")
        client.publish("/0.celeryev/task.sent", published({"type": "task-sent", "uuid": "2"}))
        assert collected(collector).value("celery_task_sent_total", name=OTHER) == 2


def told(collector):
    try:
        return collected(collector)
    except CollectionFailed:
        return None


def published(event):
    body = base64.b64encode(json.dumps(event).encode()).decode()
    return json.dumps({"body": body, "properties": {"body_encoding": "base64"}})
