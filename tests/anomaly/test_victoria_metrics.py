"""A VictoriaMetrics in Prometheus' place needs nothing else in the configuration."""

from __future__ import annotations

import shutil
import subprocess
import time
from datetime import UTC, datetime

import numpy as np
import pytest
import requests

from anomaly.answers import RangeClient
from anomaly.backtest.samples import from_prometheus
from anomaly.ledger import Ledger
from anomaly.runner import QueryRunner
from tests.anomaly.series import noise, query
from tests.anomaly.servers import prometheus_holding
from tests.ports import free_port
from tests.waiting import wait_until
from watchkeeper.clock import ManualClock
from watchkeeper.prometheus import PrometheusClient
from watchkeeper.storage import open_database, sqlite_url

pytestmark = pytest.mark.live

BEGIN = int(time.time()) // 10 * 10 - 7_200
SETTINGS = query(expression='sum by (service) (latency{service="taskboard"})')
LAST = BEGIN + 2_990


def points() -> list[tuple[float, float]]:
    """Return a latency that is higher in its last thirty samples."""
    values = noise(300)
    values[270:] += 30
    return [(BEGIN + at * 10, float(value)) for at, value in enumerate(values)]


@pytest.fixture(scope="module")
def victoria(tmp_path_factory):
    """Run a VictoriaMetrics that holds the samples."""
    binary = shutil.which("victoria-metrics")
    assert binary is not None, "install the package victoria-metrics (tests/install_tools.py)"
    url = f"http://127.0.0.1:{free_port()}"
    folder = tmp_path_factory.mktemp("victoria")
    process = subprocess.Popen(
        [binary, f"-storageDataPath={folder}", f"-httpListenAddr={url.removeprefix('http://')}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        client = PrometheusClient(url, timeout_seconds=10)
        wait_until(client.is_ready, what="VictoriaMetrics being ready")
        text = "".join(
            f'latency{{service="taskboard"}} {value!r} {at * 1000:.0f}\n' for at, value in points()
        )
        answer = requests.post(f"{url}/api/v1/import/prometheus", data=text, timeout=10)
        assert answer.ok
        assert requests.get(f"{url}/internal/force_flush", timeout=10).ok
        wait_until(lambda: samples_of(client).shape[1] == 300, what="the samples being readable")
        yield client
    finally:
        process.terminate()
        process.wait(20)


def samples_of(client: PrometheusClient) -> np.ndarray:
    read = from_prometheus(
        RangeClient(client), SETTINGS, from_seconds=LAST + 10, until_seconds=LAST
    )
    return read.values[:, -300:] if len(read.keys) else np.empty((0, 0))


def test_it_gives_the_samples_that_prometheus_gives(tmp_path, victoria):
    with prometheus_holding(tmp_path, {'latency{service="taskboard"}': points()}) as prometheus:
        # VictoriaMetrics keeps some thirteen digits of a value.
        np.testing.assert_allclose(samples_of(victoria), samples_of(prometheus), rtol=1e-11)


def test_the_service_finds_there_what_it_would_find_in_prometheus(tmp_path, victoria):
    clock = ManualClock(datetime.fromtimestamp(BEGIN + 2_600, UTC))
    runner = QueryRunner(
        "latency",
        SETTINGS,
        reader=RangeClient(victoria),
        ledger=Ledger(open_database(sqlite_url(tmp_path / "anomaly.db"))),
        clock=clock,
    )
    assert runner.run().error is None
    clock.advance(390)
    assert runner.run().error is None
    (episode,) = runner.evaluation.episodes()
    assert episode.started_seconds == BEGIN + 2_700
