"""Actions judged by a real Prometheus that sees too little: none of them counts as a success."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.alerting.desk import Desk
from tests.alerting.loopback import LoopbackServer, Reply
from tests.ports import free_port
from tests.waiting import wait_until
from watchkeeper.clock import SystemClock
from watchkeeper.prometheus import PrometheusClient
from watchkeeper.supervisor import prometheus_binary

pytestmark = pytest.mark.live

SCRAPING = """
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: shop
    static_configs: [{targets: ["TARGET"]}]
"""

HEAD = """
budget: {actions: 100, window: 1h}
endpoints:
  local: {url: URL, signing_secret: {env: TEST_SECRET}, timeout: 20s, deduplicates: true}
rules:
"""

RULE = """
  - name: METRIC
    match: ['alertname="METRIC"']
    action: restart-service
    target: METRIC
    endpoint: local
    mode: auto
    verification:
      checks: [{query: METRIC, above: 0, fresh: METRIC}]
      settle: 1s
      samples: 2
      every: 1s
      deadline: DEADLINE
    compensation: {action: scale-out}
"""


@pytest.fixture
def exporter():
    """Serves a metric that is well, one that is NaN, and one whose sample never gets any newer."""
    long_ago_ms = int((time.time() - 60) * 1000)
    text = f"healthy 1\nnot_a_number NaN\nfrozen 1 {long_ago_ms}\n".encode()
    page = Reply(200, text, {"Content-Type": "text/plain; version=0.0.4"})
    with LoopbackServer(lambda _request: page) as server:
        yield server


@pytest.fixture
def prometheus(tmp_path, exporter):
    """A real server as a process, and its URL."""
    config, port = tmp_path / "prometheus.yml", free_port()
    config.write_text(SCRAPING.replace("TARGET", exporter.url.removeprefix("http://")))
    binary = prometheus_binary.find(Path(".cache"))
    assert binary is not None, "make setup installs Prometheus"
    process = subprocess.Popen(
        [
            str(binary), f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
        ],
    )  # fmt: skip
    yield process, f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture
def desk(tmp_path, prometheus, endpoint, slack):
    desk = Desk(tmp_path, prometheus_url=prometheus[1], clock=SystemClock())
    deadlines = {"healthy": "10m", "not_a_number": "4s", "missing": "4s", "frozen": "4s"}
    rules = [RULE.replace("METRIC", name).replace("DEADLINE", limit)
             for name, limit in {**deadlines, "stopped": "4s"}.items()]  # fmt: skip
    desk.rules_file.write_text(HEAD.replace("URL", endpoint.url) + "".join(rules))
    desk.configuration.reload_if_changed()
    assert desk.configuration.problems() == []
    yield desk
    desk.close()


def ended(desk, count):
    """Let everyone do what is due; return the actions once so many of them have ended."""
    desk.act()
    found = desk.actions()
    return found if sum(one["finished_at"] is not None for one in found) == count else None


def test_data_that_is_nan_missing_or_frozen_and_a_stopped_prometheus_are_no_success(
    desk, prometheus, endpoint
):
    process, url = prometheus
    client = PrometheusClient(url, timeout_seconds=20)
    wait_until(client.is_ready, what="Prometheus is ready")
    names = ("healthy", "not_a_number", "frozen")
    for name in names:
        wait_until(lambda name=name: client.query(name), what=f"{name} was scraped")
    for name in (*names, "missing"):
        desk.fire(name)
    wait_until(lambda: ended(desk, 7), what="all have ended", timeout_seconds=120)
    process.kill()
    process.wait()
    desk.fire("stopped")
    found = wait_until(lambda: ended(desk, 9), what="the last has ended", timeout_seconds=120)
    states = {(one["target"], one["action"]): one["state"] for one in found}
    blind = ("not_a_number", "frozen", "missing", "stopped")
    assert states == {
        ("healthy", "restart-service"): "succeeded",
        **{(name, "restart-service"): "unverified" for name in blind},
        **{(name, "scale-out"): "succeeded" for name in blind},
    }
    called = Counter((call.json["data"]["target"], call.json["data"]["action"])
                     for call in endpoint.calls)  # fmt: skip
    assert called == dict.fromkeys(states, 1)
    pages = [one for one in desk.deliveries() if one["event"] == "escalated"]
    assert len(pages) == len(blind)
