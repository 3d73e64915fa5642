"""A console among neighbours that a test can change, slow down or stop."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from dashboards.console.app import furnish
from dashboards.console.door import Door
from dashboards.console.room import Room
from dashboards.console.settings import ConsoleSettings
from dashboards.console.sources import Sources
from dashboards.console.watch import Watch
from tests.console.neighbours import Neighbour, PrometheusNeighbour
from watchkeeper import addresses
from watchkeeper.clock import ManualClock
from watchkeeper.peers import Peer
from watchkeeper.prometheus import PrometheusClient
from watchkeeper.serving import Service
from watchkeeper.tokens import TokenFile

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    assert CHROMIUM, "Chromium is not installed; make setup installs it on Debian as root"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET_FLAGS)
        yield browser
        browser.close()


@dataclass
class Neighbourhood:
    """The console's room, its neighbours, and the service built of them."""

    alerting: Neighbour
    anomaly: Neighbour
    agent: Neighbour
    remediation: Neighbour
    prometheus: PrometheusNeighbour
    room: Room
    service: Service
    incidents: list[dict[str, Any]] = field(default_factory=list)
    series: list[dict[str, Any]] = field(default_factory=list)

    def get(self, path: str, **arguments: Any) -> Any:
        """Ask every source once, then the console, as a browser on this machine would."""
        self.room.watch.ask_all()
        return self.service.app.test_client().get(path, **arguments)


@pytest.fixture
def neighbourhood():
    alerting, anomaly, agent, remediation = (Neighbour() for _ in range(4))
    prometheus = PrometheusNeighbour()
    settings = ConsoleSettings.model_validate({"refresh": "1s"})
    parts = {"agent": agent, "anomaly": anomaly, "alerting": alerting, "remediation": remediation}
    peers = {name: Peer(name, base_url=part.url, timeout_seconds=2) for name, part in parts.items()}
    sources = Sources(peers["alerting"], peers["anomaly"], PrometheusClient(prometheus.url), peers)
    watch = Watch(sources.watched(lambda: settings), refresh_seconds=lambda: 1.0)
    service = Service("console", import_name="dashboards.console")
    clock = ManualClock(NOW)
    door = Door(addresses.api_token(), TokenFile(addresses.named_tokens_file()), clock)
    room = Room(sources, watch, lambda: settings, clock, door)
    furnish(service, room)
    made = Neighbourhood(alerting, anomaly, agent, remediation, prometheus, room, service)
    alerting.answers["/api/v1/incidents"] = lambda q: {
        "incidents": [one for one in made.incidents if one["status"] == q["status"]]
    }
    alerting.answers["/api/v1/status"] = {"paused": False}
    anomaly.answers["/api/v1/queries"] = {"queries": []}
    anomaly.answers["/api/v1/series"] = lambda _: {"series": made.series}
    yield made
    watch.stop()
    for neighbour in {*parts.values(), prometheus}:
        neighbour.stop()


@pytest.fixture
def address(neighbourhood):
    """The address of the console, served and kept up to date, for a browser."""
    neighbourhood.room.watch.start()
    server = make_server("127.0.0.1", 0, neighbourhood.service.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
