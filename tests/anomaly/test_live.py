"""The whole service against a real Prometheus and a server that checks what Alertmanager would."""

from __future__ import annotations

import math
import random
import threading
import time
from pathlib import Path
from typing import Self

import pytest
from prometheus_client.parser import text_string_to_metric_families

from anomaly.answers import RangeClient
from anomaly.ledger import Ledger
from anomaly.service import AnomalyService
from anomaly.settings import AnomalySettings
from tests.anomaly.servers import alertmanager, prometheus_holding, serving
from tests.waiting import wait_until
from watchkeeper.clock import SystemClock, parse_rfc3339
from watchkeeper.configuration import WatchedFile
from watchkeeper.peers import Peer
from watchkeeper.prometheus import PrometheusClient
from watchkeeper.serving import Service
from watchkeeper.storage import open_database, sqlite_url

pytestmark = pytest.mark.live

CONFIG = """
alerts: {resend: 1s}
query_timeout: 2s
defaults:
  step: 1s
  cadence: 1s
  history: 2m
  minimum_history: 20s
  persistence: {anomalous: 3, of: 5, normal: 2}
queries:
  response-time:
    expression: sum by (service, http_route) (latency)
    direction: above
    minimum_deviation: {absolute: 0.1, relative: 0.5}
"""


class Running:
    """A service on this machine, spoken to through its own routes."""

    def __init__(self, directory: Path, prometheus_url: str, alerts_url: str) -> None:
        config = directory / "anomaly.yml"
        if not config.exists():
            config.write_text(CONFIG)
        self.config = config
        self.shell = Service("anomaly", import_name=__name__)
        self.service = AnomalyService(
            self.shell,
            config=WatchedFile(config, AnomalySettings),
            **self.parts(),
            open_reader=lambda timeout: RangeClient(
                PrometheusClient(prometheus_url, timeout_seconds=timeout)
            ),
            receiver=Peer("alerting", base_url=alerts_url),
            clock=SystemClock(),
            reload_seconds=0.2,
        )
        self.client = self.shell.app.test_client()

    def parts(self) -> dict:
        """Return what a replica would have otherwise: here a database of its own."""
        return {
            "ledger": Ledger(open_database(sqlite_url(self.config.parent / "anomaly.db"))),
        }

    def __enter__(self) -> Self:
        self.service.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.service.stop()

    def get(self, path: str):
        return self.client.get(path).get_json()

    def configure(self, text: str) -> None:
        """Put another file in place of the one in force, at once: a half-written one is valid."""
        other = self.config.with_suffix(".new")
        other.write_text(text)
        other.replace(self.config)

    def queries(self) -> dict:
        return {one["name"]: one for one in self.get("/api/v1/queries")["queries"]}

    def series(self, route: str) -> dict | None:
        found = self.get("/api/v1/series?query=response-time")["series"]
        return next((one for one in found if one["labels"]["http_route"] == route), None)

    def metrics(self) -> dict[tuple[str, tuple], float]:
        text = self.client.get("/metrics").get_data(as_text=True)
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


def latencies(begin: int) -> list[tuple[float, float]]:
    """Return a usual latency from two minutes before that time to one after."""
    noise = random.Random(5)
    return [(at, 0.015 + noise.uniform(0, 0.005)) for at in range(begin - 120, begin + 60)]


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """A Prometheus in which nothing happens."""
    samples = {'latency{service="taskboard",http_route="/tasks"}': latencies(int(time.time()))}
    with prometheus_holding(tmp_path_factory.mktemp("calm"), samples) as client:
        yield client


@pytest.fixture
def shift(tmp_path):
    """A Prometheus whose /search gets 250 ms slower for six seconds, soon."""
    begin = math.floor(time.time()) + 6
    usual = latencies(begin)
    slow = [(at, v + (0.25 if begin <= at < begin + 6 else 0)) for at, v in usual]
    samples = {
        'latency{service="taskboard",http_route="/tasks"}': usual,
        'latency{service="taskboard",http_route="/search"}': slow,
    }
    with prometheus_holding(tmp_path, samples) as client:
        yield client, begin


@pytest.fixture
def receiver():
    with alertmanager() as server:
        yield server


def test_a_subtle_slowdown_is_found_told_explained_and_resolved(tmp_path, shift, receiver):
    prometheus, begin = shift
    with Running(tmp_path, prometheus.base_url, receiver.url) as running:
        wait_until(lambda: running.queries()["response-time"]["state"] == "ready", what="ready")
        wait_until(lambda: running.client.get("/readyz").status_code == 200, what="readyz")

        wait_until(lambda: receiver.alerts, what="the alert")
        first = receiver.alerts[0]
        assert first["labels"] == {
            "alertname": "Anomaly",
            "severity": "warning",
            "service": "taskboard",
            "http_route": "/search",
            "query": "response-time",
        }
        assert parse_rfc3339(first["startsAt"]).timestamp() == begin

        slow = running.series("/search")
        assert slow["alerting"] is True
        assert slow["score"] > 1
        assert slow["lower"] < slow["expected"] < slow["upper"] < slow["actual"]
        assert running.series("/tasks")["alerting"] is False
        assert running.get("/api/v1/series")["series"][0]["id"] == slow["id"]
        text = '{http_route="/search", service="taskboard"}'
        where = (("query", "response-time"), ("series", text))
        assert running.metrics()["anomaly_alerting", where] == 1.0

        wait_until(lambda: not running.series("/search")["alerting"], what="the end")
        wait_until(
            lambda: parse_rfc3339(receiver.alerts[-1]["endsAt"]).timestamp() < time.time(),
            what="the resolved alert",
        )
        points = running.get(f"/api/v1/series/{slow['id']}?minutes=5")["points"]
        assert len({len(values) for values in points.values()}) == 1
        assert max(score for score in points["score"] if score is not None) > 1
    assert {alert["labels"]["http_route"] for alert in receiver.alerts} == {"/search"}


def test_a_prometheus_that_hangs_stops_nothing_else(tmp_path, receiver):
    release = threading.Event()

    def hang(request):
        release.wait(30)
        request.send_error(500)

    try:
        with serving(hang) as url, Running(tmp_path, url, receiver.url) as running:
            wait_until(lambda: running.queries()["response-time"]["error"], what="the error")
            assert "did not answer within 2 s" in running.queries()["response-time"]["error"]
            answer = running.client.get("/readyz")
            assert answer.status_code == 503
            assert "response-time" in answer.get_json()["reasons"]["queries"]
            wait_until(
                lambda: running.metrics()["anomaly_misfires_total", (("job", "response-time"),)],
                what="a misfire being counted",
            )
            release.set()
    finally:
        release.set()


def test_a_changed_file_takes_effect_and_a_bad_one_does_not(tmp_path, calm, receiver):
    with Running(tmp_path, calm.base_url, receiver.url) as running:
        wait_until(lambda: running.client.get("/readyz").status_code == 200, what="ready")
        running.configure(CONFIG + "  second: {expression: latency}\n")
        wait_until(lambda: "second" in running.queries(), what="the second query")
        running.configure(CONFIG + "  third: {expresion: latency}\n")
        wait_until(lambda: running.service.config_problem, what="the bad file being noticed")
        assert set(running.queries()) == {"response-time", "second"}
        running.configure(CONFIG)
        wait_until(lambda: set(running.queries()) == {"response-time"}, what="the second gone")


def test_the_api_says_what_it_does_not_know(tmp_path, calm, receiver):
    with Running(tmp_path, calm.base_url, receiver.url) as running:
        answer = running.client.get("/api/v1/series/nothing")
        assert answer.status_code == 404
        assert "no series 'nothing'" in answer.get_json()["error"]["message"]
