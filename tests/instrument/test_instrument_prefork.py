"""Real servers of several processes: gunicorn and Celery prefork, seen at one address."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.ports import can_connect, free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.live

SHOP = Path(__file__).parent / "shop"


class Shop:
    """A server of several processes and what its aggregator tells."""

    def __init__(self, directory):
        self.metrics_port = free_port()
        self.environment = {
            **os.environ,
            "SHOP_SOCKET": str(directory / "metrics.sock"),
            "SHOP_METRICS": f"127.0.0.1:{self.metrics_port}",
            "SHOP_MAX_REQUESTS": "0",
            "SHOP_PRELOAD": "0",
            "PYTHONPATH": os.pathsep.join([str(SHOP), os.environ.get("PYTHONPATH", "")]),
        }
        self.log = directory / "log"
        self.process = None

    def run(self, *command, **environment):
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *map(str, command)],
                env=self.environment | environment,
                cwd=SHOP,
                stderr=log,
                stdout=log,
            )

    def samples(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as answer:
                text = answer.read().decode()
        except (urllib.error.URLError, ConnectionError):
            return []
        families = text_string_to_metric_families(text)
        return [sample for family in families for sample in family.samples]

    def total(self, name, **labels):
        return sum(
            sample.value
            for sample in self.samples()
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def highest(self, name):
        return max((s.value for s in self.samples() if s.name == name), default=0.0)

    def labels(self, name, label):
        return {s.labels[label] for s in self.samples() if s.name == name}

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path)
    yield shop
    shop.stop()


class Web(Shop):
    """gunicorn."""

    def __init__(self, directory):
        super().__init__(directory)
        self.port = free_port()

    def open(self, **environment):
        listen = f"127.0.0.1:{self.port}"
        command = ["gunicorn", "--config", SHOP / "gunicorn_conf.py", "--bind", listen]
        self.run(*command, "shop_web:application", **environment)
        wait_until(lambda: self.get("/nowhere"), what="gunicorn")
        self.wait_for(1, http_route="unmatched")

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""
        except (urllib.error.URLError, ConnectionError):
            return None

    def requests(self, **labels):
        return self.total("http_server_request_duration_seconds_count", **labels)

    def wait_for(self, count, **labels):
        wait_until(lambda: self.requests(**labels) >= count, what=f"{count} requests: {self.log}")
        assert self.requests(**labels) == count


@pytest.fixture
def web(tmp_path):
    web = Web(tmp_path)
    yield web
    web.stop()


@pytest.mark.parametrize(
    ("preload", "misses"), [("0", {1, 2}), ("1", {0})], ids=["loaded by workers", "loaded before"]
)
def test_requests_to_any_worker_are_counted_once_by_route(web, preload, misses):
    web.open(SHOP_PRELOAD=preload)
    pids = {web.get(f"/orders/{number}")[1] for number in range(40)}
    for number in range(10):
        assert web.get(f"/random/{number}")[0] == 404
    web.wait_for(40, http_route="/orders/<int:order>")
    web.wait_for(11, http_route="unmatched")
    assert web.labels("http_server_request_duration_seconds_count", "http_route") == {
        "/orders/<int:order>",
        "unmatched",
    }
    assert web.total("cache_requests_total", result="hit") == 40
    # What the parent counted before the fork is not each worker's.
    assert web.total("cache_requests_total", result="miss") in misses
    assert pids
    wait_until(
        lambda: web.labels("process_resident_memory_bytes", "worker") == {"0", "1"},
        what="both workers",
    )


def test_workers_that_are_recycled_take_nothing_with_them(web):
    web.open(SHOP_MAX_REQUESTS="5")
    pids = set()
    for number in range(40):
        pids.add(wait_until(lambda at=number: web.get(f"/orders/{at}"), what="an answer")[1])
    assert len(pids) > 4
    web.wait_for(40, http_route="/orders/<int:order>")
    assert web.labels("process_resident_memory_bytes", "worker") <= {"0", "1", "2"}


def test_a_worker_that_is_killed_leaves_what_it_had_reported(web):
    web.open()
    pid = int(web.get("/orders/1")[1])
    web.wait_for(1, http_route="/orders/<int:order>")
    started = "process_start_time_seconds"
    wait_until(lambda: len(web.labels(started, "worker")) == 2, what="both workers")
    newest = web.highest(started)
    os.kill(pid, signal.SIGKILL)
    workers = "watchkeeper_instrument_workers"
    wait_until(lambda: str(pid) != web.get("/orders/2")[1], what="another worker")
    web.wait_for(2, http_route="/orders/<int:order>")
    wait_until(lambda: web.highest(started) > newest, what="the worker in its place")
    wait_until(lambda: web.total(workers) == 2, what="two workers again")


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    port = free_port()
    directory = tmp_path_factory.mktemp("broker")
    command = [sys.executable, "-m", "taskboard", "valkey", "--port", str(port)]
    process = subprocess.Popen([*command, "--data-dir", str(directory)])
    wait_until(lambda: can_connect(port), what="the broker")
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(20)


def test_tasks_in_any_child_of_celery_are_counted_once(shop, broker):
    import celery

    shop.run(
        *("celery", "--app", "shop_tasks", "worker", "--pool", "prefork", "--concurrency", "2"),
        *("--max-tasks-per-child", "8", "--without-gossip", "--without-mingle"),
        SHOP_BROKER=broker,
    )
    publisher = celery.Celery("publisher", broker=broker, set_as_current=False)
    for number in range(30):
        publisher.send_task("shop_tasks.cook", args=[number % 3 == 0], queue="orders")
    finished, run = "task_finished_total", "task_run_seconds_count"
    for name in (finished, run):
        wait_until(
            lambda of=name: shop.total(of) >= 30,
            timeout_seconds=60.0,
            what=f"thirty tasks: {shop.log}",
        )
    assert shop.total(finished, outcome="failed") == 10
    assert shop.total(finished, outcome="succeeded") == 20
    assert shop.total("task_started_total") == shop.total(run) == 30
    workers = "watchkeeper_instrument_workers"
    wait_until(lambda: shop.total(workers) == 3, what="the parent and two children")
    publisher.close()
