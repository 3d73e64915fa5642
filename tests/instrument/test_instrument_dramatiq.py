"""A real dramatiq worker on a real broker is told in the words of all tasks."""

import time

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Retries
from prometheus_client import CollectorRegistry

from tests.agent.redis_servers import serving
from tests.instrument.reading import value
from tests.waiting import wait_until, wait_until_holds
from watchkeeper.catalogue import tasks as catalogue
from watchkeeper.instrument import Instrumentation
from watchkeeper.instrument.dramatiq import DramatiqTasks
from watchkeeper.instrument.guard import Guard
from watchkeeper.instrument.tasks import TaskMetrics

pytestmark = pytest.mark.live


class Shop:
    """A broker with its worker, and the registry that watches them."""

    def __init__(self, port, namespace):
        self.registry = CollectorRegistry()
        instrumentation = Instrumentation("shop", registry=self.registry)
        retries = Retries(min_backoff=300, max_backoff=300, max_retries=1)
        self.broker = RedisBroker(port=port, namespace=namespace, middleware=[retries])
        self.broker.add_middleware(instrumentation.dramatiq.middleware(dramatiq.Middleware))
        self.actors = {
            actor.__name__: dramatiq.actor(actor, queue_name="orders", broker=self.broker)
            for actor in (pack, spoil, again)
        }
        self.worker = dramatiq.Worker(self.broker, worker_timeout=50, worker_threads=2)
        self.worker.start()

    def send(self, name, **options):
        return self.broker.enqueue(self.actors[name].message(), **options)

    def value(self, name, **labels):
        return value(self.registry, name, queue="orders", **labels)

    def finished(self, task, outcome):
        return self.value("task_finished_total", task=task, outcome=outcome)


def pack():
    pass


def spoil():
    raise ValueError("rotten")


TRIES = []


def again():
    TRIES.append(1)
    if len(TRIES) == 1:
        raise ValueError("not yet")


@pytest.fixture(scope="module")
def broker_port(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("dramatiq")) as (port, _):
        yield port


@pytest.fixture
def shop(broker_port, request):
    TRIES.clear()
    shop = Shop(broker_port, request.node.name)
    yield shop
    shop.worker.stop()
    shop.broker.close()


def test_a_task_is_created_started_and_finished_with_its_wait_and_run(shop):
    shop.send("pack")

    def told():
        assert shop.finished("pack", "succeeded") == 1
        for name in ("task_created_total", "task_started_total", "task_wait_seconds_count"):
            assert shop.value(name, task="pack") == 1, name
        assert shop.value("task_run_seconds_count", task="pack", outcome="succeeded") == 1
        assert shop.value("task_in_flight") == 0
        assert value(shop.registry, "task_worker_slots") == 2

    wait_until_holds(told)


def test_a_delay_is_no_wait_and_makes_no_second_task(shop):
    sent = time.monotonic()
    shop.send("pack", delay=3000)
    wait_until(lambda: shop.finished("pack", "succeeded") == 1, what="the delayed order")
    assert shop.value("task_created_total", task="pack") == 1
    assert shop.value("task_wait_seconds_count", task="pack") == 1
    assert shop.value("task_wait_seconds_sum", task="pack") <= time.monotonic() - sent - 2.9


def test_a_retry_is_one_task_with_two_runs_whose_back_off_is_no_wait(shop):
    shop.send("again")

    def told():
        assert shop.finished("again", "succeeded") == 1
        assert shop.value("task_created_total", task="again") == 1
        assert shop.value("task_retried_total", task="again") == 1
        assert shop.value("task_run_seconds_count", task="again", outcome="retried") == 1
        assert shop.value("task_started_total", task="again") == 2
        assert shop.value("task_wait_seconds_count", task="again") == 2

    wait_until_holds(told)  # the second try may end before the first one's thread has told of it


def test_a_task_that_is_given_up_on_has_failed_and_is_a_dead_letter(shop):
    shop.send("spoil")

    def told():
        assert shop.finished("spoil", "failed") == 1
        assert shop.value("task_dead_lettered_total", task="spoil") == 1
        assert shop.value("task_retried_total", task="spoil") == 1

    wait_until_holds(told)


def test_a_retry_that_is_held_before_its_enqueuing_has_ended_is_a_retry_all_the_same():
    """As on a busy machine, where a consumer takes it up faster than its own thread goes on."""
    registry = CollectorRegistry()
    hooks = Instrumentation("shop", registry=registry).dramatiq.middleware(dramatiq.Middleware)
    task = dramatiq.Message(queue_name="orders", actor_name="spoil", args=(), kwargs={}, options={})
    hooks.before_enqueue(None, task, None)
    hooks.after_enqueue(None, task, None)
    hooks.before_process_message(None, task)
    hooks.after_process_message(None, task, exception=ValueError("rotten"))
    task.options["retries"] = 1
    hooks.before_enqueue(None, task, 300)
    hooks.before_delay_message(None, task)
    hooks.after_enqueue(None, task, 300)
    hooks.after_ack(None, task)
    assert value(registry, "task_retried_total", queue="orders", task="spoil") == 1
    assert value(registry, "task_created_total", queue="orders", task="spoil") == 1


def test_a_retry_that_the_broker_did_not_take_is_a_failure():
    registry = CollectorRegistry()
    hooks = Instrumentation("shop", registry=registry).dramatiq.middleware(dramatiq.Middleware)
    task = dramatiq.Message(queue_name="orders", actor_name="spoil", args=(), kwargs={}, options={})
    hooks.before_process_message(None, task)
    hooks.after_process_message(None, task, exception=ValueError("rotten"))
    task.options["retries"] = 1
    hooks.before_enqueue(None, task, 300)  # and the connection breaks
    hooks.after_ack(None, task)
    failed = {"queue": "orders", "task": "spoil", "outcome": "failed"}
    assert value(registry, "task_finished_total", **failed) == 1


def test_a_publisher_whose_clock_is_ahead_is_flagged_and_no_wait_is_invented(shop, broker_port):
    ahead = CollectorRegistry()
    clock = TaskMetrics(
        "till", ahead, Guard(ahead), catalogue.CLOCK_SKEW.counter(ahead), lambda: time.time() + 5
    )
    publisher = RedisBroker(port=broker_port, namespace=shop.broker.namespace, middleware=[])
    publisher.add_middleware(DramatiqTasks(clock).middleware(dramatiq.Middleware))
    publisher.enqueue(shop.actors["pack"].message())
    publisher.close()
    wait_until(lambda: shop.finished("pack", "succeeded") == 1, what="the order from the future")
    assert value(shop.registry, "task_clock_skew_total", measure="wait") == 1
    assert shop.value("task_wait_seconds_count", task="pack") == 0
