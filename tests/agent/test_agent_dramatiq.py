"""dramatiq's queues are read from the broker as real workers leave them."""

import subprocess
import sys
import time

import dramatiq
import pytest
import redis
from dramatiq.brokers.redis import RedisBroker

from agent.collector import CollectionFailed
from agent.collectors.dramatiq import DramatiqCollector, due_at
from agent.text import Renderer, TextFormat, text_of
from tests.agent.probes import Page
from tests.agent.redis_servers import serving
from tests.waiting import wait_until

pytestmark = pytest.mark.live

WORKER = """
import sys, threading, dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Retries
broker = RedisBroker(port=int(sys.argv[1]), middleware=[Retries(max_retries=0)])

def hang():
    threading.Event().wait(60)

def spoil():
    raise ValueError("rotten")

for actor in (hang, spoil):
    dramatiq.actor(actor, queue_name="work", broker=broker)
dramatiq.Worker(broker, worker_timeout=50, worker_threads=1).start()
threading.Event().wait(60)
"""


@pytest.fixture(scope="module")
def broker_port(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("dramatiq")) as (port, _):
        yield port


@pytest.fixture
def broker(broker_port):
    broker = RedisBroker(port=broker_port, middleware=[])
    broker.client.flushall()
    broker.declare_queue("work")
    yield broker
    broker.close()


@pytest.fixture
def collector(broker_port):
    collector = collector_of(broker_port)
    yield collector
    collector.close()


@pytest.fixture
def worker(broker, broker_port):
    command = [sys.executable, "-c", WORKER, str(broker_port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait(20)


def collector_of(port):
    return DramatiqCollector(
        host="127.0.0.1", port=port, user=None, password="", db=0,
        namespace="dramatiq", queues=["work"],
    )  # fmt: skip


def collected(collector):
    return Page(text_of(Renderer().render(list(collector.collect())), TextFormat.PROMETHEUS))


def send(broker, name="pack", *, delay=None, timestamp=None, **options):
    message = dramatiq.Message("work", name, (), {}, options)
    if timestamp is not None:
        message = message.copy(message_timestamp=int(timestamp * 1000))
    broker.enqueue(message, delay=delay)


def test_an_empty_queue_has_no_depth_and_no_age(collector, broker):
    page = collected(collector)
    for metric in ("depth", "oldest_age_seconds", "delayed", "in_flight", "stuck", "dead_letters"):
        assert page.value(f"task_queue_{metric}", queue="work") == 0, metric
    assert page.value("task_workers", queue="work") is None


def test_the_message_that_waits_longest_gives_the_age(collector, broker):
    send(broker, timestamp=time.time() - 3600)
    send(broker)
    page = collected(collector)
    assert page.value("task_queue_depth", queue="work") == 2
    assert page.value("task_queue_oldest_age_seconds", queue="work") == pytest.approx(3600, abs=60)


def test_our_own_stamp_leaves_a_retrys_pause_out_of_the_age(collector, broker):
    send(broker, timestamp=time.time() - 3600, watchkeeper_due_at=time.time() - 60)
    age = collected(collector).value("task_queue_oldest_age_seconds", queue="work")
    assert age == pytest.approx(60, abs=30)


def test_a_message_for_later_is_delayed_and_does_not_wait(collector, broker):
    send(broker, delay=3_600_000)
    page = collected(collector)
    assert page.value("task_queue_delayed", queue="work") == 1
    assert page.value("task_queue_depth", queue="work") == 0


def test_a_message_that_failed_for_good_is_a_dead_letter(collector, broker, worker):
    send(broker, "spoil")
    wait_until(
        lambda: collected(collector).value("task_queue_dead_letters", queue="work") == 1,
        what="the dead letter",
    )
    assert collected(collector).value("task_queue_in_flight", queue="work") == 0


def test_the_message_of_a_worker_that_was_killed_is_stuck(collector, broker, worker):
    send(broker, "hang")
    wait_until(
        lambda: collected(collector).value("task_queue_in_flight", queue="work") == 1,
        what="the message being taken",
    )
    assert collected(collector).value("task_queue_stuck", queue="work") == 0
    worker.kill()
    worker.wait(20)
    with redis.Redis(port=broker.client.get_connection_kwargs()["port"]) as client:
        for name in client.zrange("dramatiq:__heartbeats__", 0, -1):
            # A minute passes, as the broker sees it, and nothing is heard of the worker.
            client.zincrby("dramatiq:__heartbeats__", -61_000, name)
    assert collected(collector).value("task_queue_stuck", queue="work") == 1


def test_a_broker_that_is_not_there_says_nothing_of_its_queues():
    with pytest.raises(CollectionFailed) as caught:
        collected(collector_of(1))
    assert not caught.value.families


NO_MOMENTS = [
    b'{"options": {"watchkeeper_due_at": NaN}}',
    b'{"options": {}, "message_timestamp": 1%s}' % (b"0" * 400),
    b"[" * 200_000,
]


@pytest.mark.parametrize(
    "message", [None, b"", b"[]", b'{"options": {}}', b'{"options": null}', *NO_MOMENTS]
)
def test_a_message_that_tells_no_time_gives_no_age(message):
    assert due_at(message) is None
