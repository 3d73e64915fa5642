import logging
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import celery
import celery.signals
import kombu
import pytest
from celery.contrib.testing.worker import start_worker
from celery.exceptions import Reject
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from tests.waiting import wait_until
from watchkeeper.catalogue import tasks as catalogue
from watchkeeper.instrument.celery import PUBLISHED_AT_HEADER, CeleryTasks, due_at
from watchkeeper.instrument.celery_queues import MOST_QUEUES, queue_of
from watchkeeper.instrument.guard import Guard
from watchkeeper.instrument.tasks import TaskMetrics


@pytest.fixture
def skew(registry):
    return catalogue.CLOCK_SKEW.counter(registry)


@pytest.fixture
def metrics(registry, guard, skew):
    return CeleryTasks(TaskMetrics("shop", registry, guard, skew))


@pytest.fixture(scope="module")
def shop():
    """A running Celery worker and the registry that watches it; each test has its own task."""
    registry = CollectorRegistry()
    skew = catalogue.CLOCK_SKEW.counter(registry)
    metrics = CeleryTasks(TaskMetrics("shop", registry, Guard(registry), skew))
    metrics.connect(celery.signals)
    queue = celery.Celery("shop", broker="memory://", set_as_current=False)
    topic = kombu.Exchange("shop", "topic")
    queue.conf.update(
        task_queues=[
            kombu.Queue("orders"),
            kombu.Queue("events", topic, routing_key="order.#"),
        ],
        task_default_queue="orders",
        task_ignore_result=True,
        worker_hijack_root_logger=False,
    )
    add_tasks(queue)
    # The worker sets the level of the root logger for good, for every test after it.
    root_level = logging.getLogger().level
    with start_worker(queue, pool="solo", perform_ping_check=False, queues=["orders", "events"]):
        logging.getLogger().setLevel(root_level)
        yield Shop(queue, registry)
    metrics.disconnect(celery.signals)
    logging.getLogger().setLevel(root_level)


class Shop(NamedTuple):
    queue: celery.Celery
    registry: CollectorRegistry


def add_tasks(queue):
    def pack():
        return None

    def spoil():
        raise ValueError("rotten")

    def refuse():
        raise Reject("not ours", requeue=False)

    def later(self):
        if self.request.retries == 0:
            raise self.retry(countdown=1)

    def again(self):
        if self.request.retries == 0:
            raise self.retry(countdown=0)

    queue.task(name="shop.pack", shared=False)(pack)
    queue.task(name="shop.ship", shared=False)(pack)
    queue.task(name="shop.spoil", shared=False)(spoil)
    queue.task(name="shop.again", shared=False, bind=True)(again)
    queue.task(name="shop.later", shared=False, bind=True)(later)
    queue.task(name="shop.refuse", shared=False)(refuse)


def value(registry, name, task, **labels):
    found = {"service": "shop", "queue": "orders", "task": task, **labels}
    return registry.get_sample_value(name, found) or 0


def finished(registry, task, outcome):
    return value(registry, "task_finished_total", task, outcome=outcome)


def test_a_task_is_created_started_and_finished_with_its_wait_and_run(shop):
    queue, registry = shop
    queue.send_task("shop.pack")
    wait_until(lambda: finished(registry, "shop.pack", "succeeded") == 1, what="a packed order")
    for name in ("task_created_total", "task_started_total", "task_wait_seconds_count"):
        assert value(registry, name, "shop.pack") == 1, name
    assert value(registry, "task_run_seconds_count", "shop.pack", outcome="succeeded") == 1
    in_flight = registry.get_sample_value("task_in_flight", {"service": "shop", "queue": "orders"})
    assert in_flight == 0
    assert registry.get_sample_value("task_worker_slots", {"service": "shop"}) == 1


def test_a_task_that_raises_has_failed(shop):
    queue, registry = shop
    queue.send_task("shop.spoil")
    wait_until(lambda: finished(registry, "shop.spoil", "failed") == 1, what="a failed task")
    assert value(registry, "task_run_seconds_count", "shop.spoil", outcome="failed") == 1


def test_a_retried_task_is_one_task_with_two_runs(shop):
    queue, registry = shop
    queue.send_task("shop.again")
    wait_until(lambda: finished(registry, "shop.again", "succeeded") == 1, what="the second try")
    assert value(registry, "task_created_total", "shop.again") == 1
    assert value(registry, "task_retried_total", "shop.again") == 1
    assert value(registry, "task_run_seconds_count", "shop.again", outcome="retried") == 1
    assert value(registry, "task_started_total", "shop.again") == 2


def test_neither_a_countdown_nor_a_retrys_pause_is_a_wait(shop):
    queue, registry = shop
    sent = time.monotonic()
    queue.send_task("shop.later", countdown=1)
    wait_until(lambda: finished(registry, "shop.later", "succeeded") == 1, what="the second try")
    assert value(registry, "task_wait_seconds_count", "shop.later") == 2
    elapsed = time.monotonic() - sent
    assert value(registry, "task_wait_seconds_sum", "shop.later") < elapsed - 1.9


def test_a_task_that_is_rejected_is_a_dead_letter(shop):
    queue, registry = shop
    queue.send_task("shop.refuse")
    wait_until(lambda: finished(registry, "shop.refuse", "rejected") == 1, what="the rejection")
    assert value(registry, "task_dead_lettered_total", "shop.refuse") == 1


def test_names_no_worker_knows_share_one_label(shop):
    queue, registry = shop
    for number in range(5):
        queue.send_task(f"shop.stranger{number}")
    wait_until(lambda: finished(registry, "unregistered", "rejected") == 5, what="five refusals")


def test_keys_that_publishers_make_up_are_told_under_the_queues_name(shop):
    queue, registry = shop
    for number in range(3):
        queue.send_task(
            "shop.ship", exchange="shop", exchange_type="topic", routing_key=f"order.{number}.paid"
        )
    queue.send_task("shop.nobody", exchange="shop", exchange_type="topic", routing_key="order.x")
    by_queue = {"service": "shop", "queue": "events", "task": "shop.ship"}
    wait_until(
        lambda: registry.get_sample_value("task_started_total", by_queue) == 3,
        what="tasks of the topic's queue",
    )
    refused = by_queue | {"task": "unregistered", "outcome": "rejected"}
    wait_until(
        lambda: registry.get_sample_value("task_finished_total", refused) == 1,
        what="a stranger's task",
    )


def test_publishers_keys_add_no_more_labels_than_some(metrics, registry):
    for number in range(2 * MOST_QUEUES):
        metrics.on_publish("shop.pack", headers={}, routing_key=f"order.{number}")
    by_queue = {"service": "shop", "queue": "other", "task": "shop.pack"}
    assert registry.get_sample_value("task_created_total", by_queue) == MOST_QUEUES


def test_a_strangers_key_adds_no_label(metrics, registry):
    class Message:
        delivery_info = {"exchange": "x", "routing_key": "anything"}  # noqa: RUF012  # Celery's own

    metrics.on_refused(sender=None, message=Message)
    refused = {"service": "shop", "queue": "other", "task": "unregistered", "outcome": "rejected"}
    assert registry.get_sample_value("task_finished_total", refused) == 1


EXCHANGES = {kind: kombu.Exchange(kind, kind) for kind in ("direct", "topic", "fanout")}


@pytest.mark.parametrize(
    ("exchange", "key", "name"),
    [
        ("", "plain", "plain"),
        ("", "unknown", None),
        ("direct", "fast", "direct"),
        ("direct", "slow", None),
        ("topic", "order.1.paid", "topic"),
        ("topic", "order.paid", None),
        ("topic", "mail", "bound"),
        ("topic", "mail.new.today", "bound"),
        ("fanout", "anything", "fanout"),
        ("elsewhere", "plain", None),
    ],
)
def test_a_message_belongs_to_the_queue_that_the_broker_routes_it_to(exchange, key, name):
    application = celery.Celery("shop", broker="memory://", set_as_current=False)
    application.conf.task_queues = [
        kombu.Queue("plain"),
        kombu.Queue("direct", EXCHANGES["direct"], routing_key="fast"),
        kombu.Queue("topic", EXCHANGES["topic"], routing_key="order.*.paid"),
        kombu.Queue("bound", bindings=[kombu.binding(EXCHANGES["topic"], routing_key="mail.#")]),
        kombu.Queue("fanout", EXCHANGES["fanout"]),
    ]
    assert queue_of(application, {"exchange": exchange, "routing_key": key}) == name


def test_a_message_carries_the_time_it_was_published(metrics):
    headers = {}
    metrics.on_publish("shop.pack", headers=headers, routing_key="orders")
    assert isinstance(headers[PUBLISHED_AT_HEADER], float)


def started(metrics, task_id, *, published_seconds, eta=None):
    class Request:
        delivery_info = {"routing_key": "orders"}  # noqa: RUF012  # Celery's own shape

    request = Request()
    setattr(request, PUBLISHED_AT_HEADER, published_seconds)
    request.eta = eta

    class Task:
        name = "shop.pack"

    Task.request = request
    metrics.on_start(task_id, Task)


def test_an_intended_delay_is_no_wait(registry, guard, skew):
    now = 1_000_060.5
    metrics = CeleryTasks(TaskMetrics("shop", registry, guard, skew, now_seconds=lambda: now))
    eta = datetime.fromtimestamp(1_000_060, UTC).isoformat()
    started(metrics, "1", published_seconds=1_000_000.0, eta=eta)
    assert value(registry, "task_wait_seconds_sum", "shop.pack") == pytest.approx(0.5)


def test_a_publisher_whose_clock_is_ahead_is_flagged_and_no_wait_is_invented(registry, guard, skew):
    now = 1_000_000.0
    metrics = CeleryTasks(TaskMetrics("shop", registry, guard, skew, now_seconds=lambda: now))
    started(metrics, "1", published_seconds=now + 5)
    assert value(registry, "task_wait_seconds_count", "shop.pack") == 0
    labels = {"service": "shop", "measure": "wait"}
    assert registry.get_sample_value("task_clock_skew_total", labels) == 1


def test_the_end_of_a_run_that_was_never_seen_to_start_changes_nothing(metrics, registry):
    class Task:
        name = "shop.pack"

    metrics.on_end("unknown", Task, state="SUCCESS")
    assert finished(registry, "shop.pack", "succeeded") == 0


@given(published=st.integers(0, 4_000_000_000), delay=st.integers(-86_400, 86_400))
def test_a_task_is_due_at_the_later_of_publishing_and_eta(published, delay):
    eta = datetime.fromtimestamp(published, UTC) + timedelta(seconds=delay)
    for spelled in (eta, eta.isoformat(), eta.replace(tzinfo=None).isoformat()):
        assert due_at(float(published), spelled) == max(published, published + delay)
