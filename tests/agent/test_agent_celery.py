"""Queues are read from the broker, as a real Celery writes them."""

import subprocess
import sys
import time

import pytest
import redis
from celery import Celery

import agent.celery.events
from agent.celery.messages import oldest_age_seconds
from agent.collector import CollectionFailed
from agent.collectors.celery import CeleryCollector
from agent.text import Renderer, TextFormat, text_of
from tests.agent.probes import Page
from tests.waiting import wait_until

pytestmark = pytest.mark.live

HOUR_SECONDS = 3600.0


@pytest.fixture
def broker(valkey_port):
    with redis.Redis(port=valkey_port) as client:
        client.flushall()
        yield client


@pytest.fixture
def application(valkey_port, broker):
    application = Celery("taskboard", broker=f"redis://127.0.0.1:{valkey_port}/0")
    yield application
    application.close()


@pytest.fixture
def collector(valkey_port):
    collector = collector_of(valkey_port)
    yield collector
    collector.close()


def collector_of(port, *, queues=("work",)):
    return CeleryCollector(
        host="127.0.0.1", port=port, user=None, password="", db=0, key_prefix="", queues=queues
    )


def collected(collector):
    return Page(text_of(Renderer().render(list(collector.collect())), TextFormat.PROMETHEUS))


def publish(application, *, published_at=None, **options):
    headers = {} if published_at is None else {"watchkeeper_published_at": published_at}
    application.send_task("taskboard.work", queue="work", headers=headers, **options)


def test_an_empty_queue_has_no_depth_and_no_age(collector, broker):
    page = collected(collector)
    assert page.value("task_queue_depth", queue="work") == 0
    assert page.value("task_queue_oldest_age_seconds", queue="work") == 0
    assert page.value("celery_queue_length", queue_name="work") == 0


def test_the_oldest_task_gives_the_age_whatever_its_priority(collector, application):
    now = time.time()
    publish(application, published_at=now - HOUR_SECONDS, priority=9)
    publish(application, published_at=now - 60, priority=0)
    publish(application, published_at=now - 30, priority=0)
    page = collected(collector)
    assert page.value("task_queue_depth", queue="work") == 3
    age = page.value("task_queue_oldest_age_seconds", queue="work")
    assert HOUR_SECONDS <= age < HOUR_SECONDS + 60


def test_an_age_that_no_task_tells_is_left_out_not_zero(collector, application):
    publish(application)
    page = collected(collector)
    assert page.value("task_queue_depth", queue="work") == 1
    assert page.value("task_queue_oldest_age_seconds", queue="work") is None


def test_an_age_is_counted_from_the_publishers_clock_even_when_it_runs_ahead():
    message = b'{"headers": {"watchkeeper_published_at": 110.0}}'
    assert oldest_age_seconds([message], now=100.0) == -10.0


NO_MOMENTS = [
    b'{"headers": {"watchkeeper_published_at": NaN}}',
    b'{"headers": {"watchkeeper_published_at": 1%s}}' % (b"0" * 400),
    b"[" * 200_000,
]


@pytest.mark.parametrize("message", [b"", b"not json", b"[]", b'{"headers": null}', *NO_MOMENTS])
def test_a_message_that_is_not_celerys_gives_no_age(message):
    assert oldest_age_seconds([message], now=100.0) is None


def test_a_broker_that_is_not_there_says_nothing_of_its_queues():
    with pytest.raises(CollectionFailed) as caught:
        collected(collector_of(1))
    assert not caught.value.families


def test_workers_are_unknown_until_one_was_seen(collector, broker):
    assert collected(collector).value("task_workers", queue="work") is None


def test_a_user_who_may_only_count_is_told_what_waits_and_no_more(valkey_port, broker, monkeypatch):
    broker.acl_setuser(
        "counter", enabled=True, passwords=["+pw"], keys=["*"], commands=["+llen", "+lindex"]
    )
    collector = CeleryCollector(
        host="127.0.0.1", port=valkey_port, user="counter", password="pw", db=0, key_prefix="",
        queues=["work"],
    )  # fmt: skip
    for _ in range(2):
        page = collected(collector)
        assert page.value("task_queue_depth", queue="work") == 0
        for unknown in ("task_workers", "task_queue_in_flight", "task_event_gap"):
            assert page.labels(unknown) == [], unknown
    broker.acl_setuser("counter", enabled=True, channels=["*"], commands=["+psubscribe", "+ping"])
    monkeypatch.setattr(agent.celery.events, "REFUSED_SECONDS", 0.0)
    assert collected(collector).labels("task_event_gap") != []
    collector.close()


def test_workers_of_several_queues_are_unknown(valkey_port, broker):
    collector = collector_of(valkey_port, queues=("work", "mail"))
    page = collected(collector)
    collector.close()
    assert page.labels("task_workers") == []
    assert {labels["queue"] for labels in page.labels("task_queue_depth")} == {"work", "mail"}


def test_a_worker_is_counted_undisturbed_and_gone_once_it_is_killed(
    collector, application, valkey_port, tmp_path
):
    log = tmp_path / "worker.log"
    command = [sys.executable, "-m", "celery", "-b", f"redis://127.0.0.1:{valkey_port}/0"]
    options = ["worker", "-P", "solo", "-Q", "work", "-l", "debug", "-f", str(log)]
    worker = subprocess.Popen([*command, *options], cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        wait_until(
            lambda: collected(collector).value("task_workers", queue="work") == 1,
            what="the worker being counted",
        )
        collected(collector)
    finally:
        worker.kill()
        worker.wait(20)
    wait_until(
        lambda: collected(collector).value("task_workers", queue="work") == 0,
        what="the killed worker being missed",
    )
    assert "pidbox received method" not in log.read_text()
    assert "Traceback" not in log.read_text()
