"""Freshness, asked of a real Prometheus."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerting.remediation_rules import CheckSettings
from alerting.verification import observe
from tests.alerting.loopback import LoopbackServer, Reply
from tests.ports import free_port
from tests.waiting import wait_until
from watchkeeper.prometheus import PrometheusClient
from watchkeeper.supervisor import prometheus_binary

pytestmark = pytest.mark.live

CONFIGURATION = """
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: shop
    static_configs: [{targets: ["TARGET"]}]
"""


@pytest.fixture
def exporter() -> Iterator[LoopbackServer]:
    text = Reply(200, b"queue_depth 7\n", {"Content-Type": "text/plain; version=0.0.4"})
    with LoopbackServer(lambda _request: text) as server:
        yield server


@pytest.fixture
def prometheus(tmp_path: Path, exporter: LoopbackServer) -> Iterator[PrometheusClient]:
    binary = prometheus_binary.find(Path(".cache"))
    assert binary is not None, "make setup installs Prometheus"
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIGURATION.replace("TARGET", exporter.url.removeprefix("http://")))
    port = free_port()
    process = subprocess.Popen(
        [
            str(binary), f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
        ],
    )  # fmt: skip
    client = PrometheusClient(f"http://127.0.0.1:{port}", timeout_seconds=5)
    try:
        wait_until(client.is_ready, what="Prometheus is ready")
        yield client
    finally:
        process.kill()
        process.wait()


def test_the_age_of_samples_is_seen_and_a_target_that_died_is_no_data(prometheus, exporter):
    checks = [CheckSettings(query="queue_depth", fresh="queue_depth", above=0)]

    def look():
        return observe(prometheus, checks)[0]

    first = wait_until(lambda: seen if (seen := look()).values else None, what="a first sample")
    assert first.values == (7.0,)
    newer = wait_until(
        lambda: seen if (seen := look()).sampled_at > first.sampled_at else None,
        what="a newer sample",
    )
    assert newer.sampled_at[0] - first.sampled_at[0] >= 1
    exporter.answer = lambda _request: Reply(hangs_up=True)
    wait_until(lambda: look().values == () and look().sampled_at == (), what="no data any more")
