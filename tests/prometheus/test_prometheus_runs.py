"""A real Prometheus on our configuration: it scrapes, labels, records and alerts."""

import json
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from tests.ports import free_port
from tests.prometheus.rulebook import PROMETHEUS, rules
from tests.waiting import wait_until
from watchkeeper.prometheus import PrometheusClient
from watchkeeper.supervisor.prometheus_binary import PROJECT_CACHE, find

pytestmark = pytest.mark.live

TOKEN = "the stack's own token"
EXPOSITION = b"""# TYPE task_created_total counter
task_created_total{service="named-by-itself",queue="work",task="t"} 3
# TYPE task_queue_depth gauge
task_queue_depth{queue="work"} 7
"""


class Scraped:
    """An application's /metrics; keeps the Authorization headers it was shown."""

    def __init__(self):
        self.shown = []
        handler = type("Handler", (BaseHTTPRequestHandler,), {"do_GET": self._answer()})
        handler.log_message = lambda *_: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.address = f"127.0.0.1:{self._server.server_port}"

    def _answer(self):
        def do_get(handler):
            self.shown.append(handler.headers.get("Authorization"))
            handler.send_response(200)
            handler.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            handler.end_headers()
            handler.wfile.write(EXPOSITION)

        return do_get

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def ours():
    target = Scraped()
    yield target
    target.close()


@pytest.fixture(scope="module")
def theirs():
    target = Scraped()
    yield target
    target.close()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory, ours, theirs):
    directory = tmp_path_factory.mktemp("prometheus")
    shutil.copy(PROMETHEUS / "prometheus.yml", directory)
    shutil.copytree(PROMETHEUS / "rules", directory / "rules")
    announce(directory / "targets" / "agent.json", ours.address, job="agent", service="watchkeeper")
    announce(directory / "applications" / "shop.json", theirs.address, job="shop", service="shop")
    (directory / "alertmanagers").mkdir()
    (directory / "secrets").mkdir()
    (directory / "secrets" / "api-token").write_text(TOKEN)
    port = free_port()
    log = (directory / "log").open("w")
    process = subprocess.Popen(
        [
            find(PROJECT_CACHE),
            f"--config.file={directory}/prometheus.yml",
            f"--storage.tsdb.path={directory}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    client = PrometheusClient(f"http://127.0.0.1:{port}")
    client.log = directory / "log"
    try:
        wait_until(lambda: answers(f"{client.base_url}/-/ready"), what="Prometheus is ready")
        yield client
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def announce(file, address, **labels):
    file.parent.mkdir()
    file.write_text(json.dumps([{"targets": [address], "labels": labels}]))


def answers(url):
    try:
        return requests.get(url, timeout=2).ok
    except requests.ConnectionError:
        return False


def series_of(client, expression):
    found = wait_until(lambda: client.query(expression), what=f"{expression} has samples")
    return [sample.labels for sample in found]


def test_it_loads_and_evaluates_every_rule_without_an_error(prometheus):
    def evaluated():
        groups = requests.get(f"{prometheus.base_url}/api/v1/rules", timeout=5).json()
        loaded = [rule for group in groups["data"]["groups"] for rule in group["rules"]]
        # Slow groups take their first turn within a minute; the fast ones are enough to go on.
        return loaded if sum(rule["health"] == "ok" for rule in loaded) > 10 else None

    loaded = wait_until(evaluated, what="rules are evaluated")
    assert {rule["name"] for rule in loaded} == {rule.name for rule in rules()}
    assert {rule["health"] for rule in loaded} <= {"ok", "unknown"}


def test_it_logs_no_error(prometheus):
    series_of(prometheus, "up == 1")
    assert "level=error" not in prometheus.log.read_text()


def test_a_target_carries_its_job_and_service(prometheus, ours, theirs):
    labels = series_of(
        prometheus, "count by (job, service, instance) (up == 1) and on () count(up == 1) == 2"
    )
    assert {(label["job"], label["service"], label["instance"]) for label in labels} == {
        ("agent", "watchkeeper", ours.address),
        ("shop", "shop", theirs.address),
    }


def test_a_series_that_names_its_service_keeps_that_name(prometheus):
    for labels in series_of(prometheus, 'task_created_total{job="shop"}'):
        assert labels["service"] == "named-by-itself"
        assert "exported_service" not in labels


def test_a_series_that_names_none_gets_its_targets_service(prometheus):
    assert series_of(prometheus, 'task_queue_depth{job="shop"}')[0]["service"] == "shop"


def test_our_parts_are_shown_the_token_and_applications_are_not(prometheus, ours, theirs):
    wait_until(lambda: ours.shown and theirs.shown, what="both targets are scraped")
    assert set(ours.shown) == {f"Bearer {TOKEN}"}
    assert set(theirs.shown) == {None}
