"""Several processes, one /metrics: nothing counted twice, nothing forgotten, nothing growing."""

import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from tests.ports import free_port
from tests.waiting import wait_until
from watchkeeper.instrument import Instrumentation
from watchkeeper.instrument.multiprocess import Reporter, spawn_aggregator
from watchkeeper.instrument.multiprocess.aggregator import Aggregator, listen_at
from watchkeeper.instrument.multiprocess.ledger import Ledger
from watchkeeper.instrument.multiprocess.report import ACKNOWLEDGEMENT, Report
from watchkeeper.instrument.multiprocess.snapshot import take

RECYCLED = 300


class Worker:
    """A registry as a worker has one, reporting to a ledger without a socket between."""

    def __init__(self, ledger):
        self.registry = CollectorRegistry()
        self.orders = Counter("orders_total", "Orders.", ["kind"], registry=self.registry)
        self.open = Gauge("orders_open", "Open orders.", registry=self.registry)
        self.took = Histogram("order_seconds", "Duration.", registry=self.registry, buckets=(1, 2))
        self._ledger = ledger
        self._told = {}
        self.place = ledger.join()

    def report(self):
        self._told, report = take(self.registry, self._told)
        self._ledger.add(self.place, type(report).decode(report.encode()[4:]))

    def leave(self):
        self._ledger.leave(self.place)


@pytest.fixture
def ledger():
    return Ledger()


def registry_of(ledger):
    registry = CollectorRegistry()
    registry.register(ledger)
    return registry


def orders(ledger, kind="tea"):
    return registry_of(ledger).get_sample_value("orders_total", {"kind": kind}) or 0


def test_counters_and_histograms_are_summed_over_workers(ledger):
    for amount in (1, 2):
        worker = Worker(ledger)
        worker.orders.labels("tea").inc(amount)
        worker.took.observe(amount + 0.5)
        worker.report()
    sample = registry_of(ledger).get_sample_value
    assert sample("orders_total", {"kind": "tea"}) == 3
    assert sample("order_seconds_bucket", {"le": "2.0"}) == 1
    assert sample("order_seconds_count") == 2
    assert sample("order_seconds_sum") == 4


def test_what_a_worker_counted_stays_when_it_is_gone_and_its_gauges_go(ledger):
    first, second = Worker(ledger), Worker(ledger)
    for worker in (first, second):
        worker.orders.labels("tea").inc(5)
        worker.open.set(3)
        worker.report()
    assert registry_of(ledger).get_sample_value("orders_open") == 6
    first.leave()
    assert registry_of(ledger).get_sample_value("orders_open") == 3
    assert orders(ledger) == 10


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["count", "report", "replace"]), st.integers(0, 3), st.integers(1, 9)
        ),
        max_size=40,
    )
)
def test_totals_are_what_was_reported_whoever_comes_and_goes(steps):
    ledger = Ledger()
    workers = [Worker(ledger) for _ in range(4)]
    unreported = [0] * 4
    reported, shown = 0, 0.0
    for step, index, amount in steps:
        if step == "count":
            workers[index].orders.labels("tea").inc(amount)
            unreported[index] += amount
        elif step == "report":
            workers[index].report()
            reported, unreported[index] = reported + unreported[index], 0
        else:
            workers[index].leave()
            workers[index], unreported[index] = Worker(ledger), 0
        assert orders(ledger) == reported >= shown
        shown = orders(ledger)
    assert sorted(worker.place for worker in workers) == [0, 1, 2, 3]


def test_process_metrics_are_told_apart_by_the_place_of_the_worker(ledger):
    for _ in range(2):
        place = ledger.join()
        _, report = take(Instrumentation("shop").registry, {})
        ledger.add(place, report)
    sample = registry_of(ledger).get_sample_value
    for place in ("0", "1"):
        assert sample("process_resident_memory_bytes", {"worker": place}) > 0
        assert sample("process_cpu_seconds_total", {"worker": place}) > 0
        labels = {"worker": place, "generation": "2", "le": "+Inf"}
        assert sample("python_gc_pause_seconds_bucket", labels) is not None
    assert sample("process_resident_memory_bytes") is None


def test_exemplars_survive_the_way(ledger):
    worker = Worker(ledger)
    worker.took.observe(1.5, {"trace_id": "abc"})
    worker.report()
    text = generate_openmetrics(registry_of(ledger)).decode()
    assert 'order_seconds_bucket{le="2.0"} 1.0 # {trace_id="abc"} 1.5' in text


def test_the_exposition_of_the_sum_is_well_formed(ledger):
    worker = Worker(ledger)
    worker.took.observe(1.5)
    worker.orders.labels('"quoted"\n').inc()
    worker.report()
    text = generate_latest(registry_of(ledger)).decode()
    buckets = [
        sample.labels["le"]
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "order_seconds_bucket"
    ]
    assert buckets == ["1.0", "2.0", "+Inf"]
    assert orders(ledger, '"quoted"\n') == 1


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.sock"


def running_reporter(path):
    registry = CollectorRegistry()
    counter = Counter("orders_total", "Orders.", registry=registry)
    reporter = Reporter(registry, path, interval_seconds=0.02)
    reporter.start()
    return counter, reporter


def test_an_aggregator_that_was_away_gets_what_was_counted_meanwhile_once(path):
    counter, reporter = running_reporter(path)
    counter.inc(3)
    first = Aggregator(path)
    wait_until(lambda: first.registry.get_sample_value("orders_total") == 3, what="three orders")
    first.close()
    counter.inc(4)
    second = Aggregator(path)
    wait_until(lambda: second.registry.get_sample_value("orders_total"), what="more orders")
    reporter.stop()
    # A new aggregator begins at nothing, like any restarted process, and is not told old news.
    assert second.registry.get_sample_value("orders_total") == 4
    wait_until(
        lambda: second.registry.get_sample_value("watchkeeper_instrument_workers") == 0,
        what="no worker left",
    )
    second.close()


def hung_up(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:  # it did not even read to the end
        return True


def framed(body):
    return len(body).to_bytes(4) + body


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        framed(b"[]"),
        framed(b"nope"),
        b"\x7f\xff\xff\xff",
        framed(b'{"families":{},"added":[[["a","a",[]],1]],"standing":[],"exemplars":[]}'),
        framed(b'{"families":{"a":["riddle",""]},"added":[],"standing":[],"exemplars":[]}'),
    ],
)
def test_who_sends_no_report_is_cut_off_and_the_others_go_on(path, garbage):
    aggregator = Aggregator(path)
    counter, reporter = running_reporter(path)
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(str(path))
        stranger.sendall(garbage)
        stranger.shutdown(socket.SHUT_WR)
        assert hung_up(stranger)
    counter.inc()
    wait_until(lambda: aggregator.registry.get_sample_value("orders_total") == 1, what="an order")
    reporter.stop()
    aggregator.close()


def test_only_our_own_user_may_report(path):
    aggregator = Aggregator(path)
    assert path.stat().st_mode & 0o077 == 0
    aggregator.close()
    assert not path.exists()


def test_a_function_that_fails_for_a_while_silences_nobody_for_good(path):
    aggregator = Aggregator(path)
    registry, broken, asked = CollectorRegistry(), [True], threading.Event()

    def depth():
        asked.set()
        if broken:
            raise RuntimeError("no connection")
        return 3

    Gauge("depth", "Of the queue.", registry=registry).set_function(depth)
    Counter("orders_total", "Orders.", registry=registry).inc(7)
    reporter = Reporter(registry, path, interval_seconds=0.02)
    reporter.start()
    assert asked.wait(60)
    broken.clear()
    told = aggregator.registry.get_sample_value
    wait_until(lambda: (told("orders_total"), told("depth")) == (7, 3), what="a report")
    reporter.stop()
    aggregator.close()


def test_an_aggregator_that_ends_leaves_its_successor_the_socket(path):
    first = Aggregator(path)
    second = Aggregator(path)
    first.close()
    assert path.exists()
    second.close()
    assert not path.exists()


@pytest.mark.live
def test_an_aggregator_waits_for_the_port_of_its_predecessor(path):
    address = f"127.0.0.1:{free_port()}"
    url = f"http://{address}/metrics"
    first = spawn_aggregator(path, address)
    wait_until(lambda: is_answered(url), what="the first")
    second = spawn_aggregator(path, address)
    with socket.socket(socket.AF_UNIX) as worker:
        worker.connect(str(path))
        worker.sendall(Report().encode())
        assert worker.recv(1) == ACKNOWLEDGEMENT  # so it is up, and waits
        first.terminate()
        assert first.wait(60) == 0
        wait_until(lambda: is_answered(url), what="the second")
    second.terminate()
    assert second.wait(60) == 0
    for aggregator in (first, second):
        aggregator.stdin.close()


@pytest.mark.parametrize("end", [lambda one: one.terminate(), lambda one: one.stdin.close()])
def test_an_aggregator_that_waits_for_its_port_ends_when_it_is_told_to(path, end):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        waiting = spawn_aggregator(path, f"127.0.0.1:{taken.getsockname()[1]}")
        with socket.socket(socket.AF_UNIX) as worker:
            worker.connect(str(path))
            worker.sendall(Report().encode())
            assert worker.recv(1) == ACKNOWLEDGEMENT  # so it is up, and waits
        end(waiting)
        assert waiting.wait(60) == 0
        waiting.stdin.close()


def is_answered(url):
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status == 200
    except OSError:
        return False


def test_a_worker_that_ends_before_the_aggregator_is_up_is_counted(path):
    listening = listen_at(path)
    registry = CollectorRegistry()
    reporter = Reporter(registry, path)
    Counter("orders_total", "Orders.", registry=registry).inc(7)
    reporter.start()
    reporter.stop()
    aggregator = Aggregator(path, listening)
    wait_until(
        lambda: aggregator.registry.get_sample_value("orders_total") == 7, what="the last report"
    )
    aggregator.close()


PARENT = """
import os, sys, time
from prometheus_client import CollectorRegistry, Counter
from watchkeeper.instrument.multiprocess import Reporter, spawn_aggregator

path, listen, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
child = spawn_aggregator(path, listen)
print(child.pid, flush=True)
for number in range(workers):
    pid = os.fork()
    if pid == 0:
        registry = CollectorRegistry()
        counter = Counter("orders_total", "Orders.", registry=registry)
        reporter = Reporter(registry, path)
        reporter.start()
        counter.inc()
        reporter.stop()
        os._exit(0)
    os.waitpid(pid, 0)
print("done", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def parent(path):
    """Starts a server that forks workers one after the other; killed when the test ends."""
    started = []

    def start(workers):
        listen = f"127.0.0.1:{free_port()}"
        command = [sys.executable, "-c", PARENT, path, listen, str(workers)]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(server)
        return server, int(server.stdout.readline()), f"http://{listen}/metrics"

    yield start
    for server in started:
        server.kill()
        server.communicate()


def is_running(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.live
def test_workers_that_come_and_go_leave_their_counts_and_nothing_else(parent, path):
    server, _, url = parent(RECYCLED)
    seen = [0.0]

    def scrape():
        try:
            with urllib.request.urlopen(url) as answer:
                text = answer.read().decode()
        except urllib.error.URLError:
            return ""  # workers are served before scrapers
        families = {family.name: family for family in text_string_to_metric_families(text)}
        if "orders" in families:
            seen.append(families["orders"].samples[0].value)
        return text

    wait_until(
        lambda: scrape() and seen[-1] == RECYCLED,
        timeout_seconds=300,
        what="the order of every worker",
    )
    assert seen == sorted(seen)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert len(scrape().splitlines()) < 20
    assert server.stdout.readline() == "done\n"


@pytest.mark.live
def test_an_aggregator_ends_with_its_parent_even_when_that_is_killed(parent):
    server, aggregator, _ = parent(0)
    assert is_running(aggregator)
    server.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_running(aggregator), what="the end of the aggregator")


@pytest.mark.live
def test_an_aggregator_that_is_told_to_end_ends_well(path):
    aggregator = spawn_aggregator(path, "127.0.0.1:0")
    with socket.socket(socket.AF_UNIX) as worker:
        worker.connect(str(path))
        worker.sendall(Report().encode())
        assert worker.recv(1) == ACKNOWLEDGEMENT  # so it is up
    aggregator.terminate()
    assert aggregator.wait(60) == 0
    aggregator.stdin.close()
    assert not path.exists()
