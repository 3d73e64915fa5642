"""Many alerts at once, through the real process."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from tests.alerting.loopback import SECRET, LoopbackServer, Reply
from tests.alerting.process import AlertingProcess
from tests.waiting import wait_until

pytestmark = pytest.mark.live

SERVICES = 40


class HangingServer(LoopbackServer):
    """Takes a call and does not answer it before it is let go."""

    def __init__(self):
        super().__init__(self._answer)
        self.let_go = threading.Event()
        self.answered = 0

    def _answer(self, _request):
        self.let_go.wait(300)
        self.answered += 1
        return Reply()


@pytest.fixture
def hanging():
    with HangingServer() as server:
        yield server
        server.let_go.set()


@pytest.fixture
def healthy():
    with LoopbackServer(lambda _request: Reply()) as server:
        yield server


@pytest.fixture
def process(tmp_path, hanging, healthy):
    receivers = "".join(
        f'  - {{name: {name}, kind: webhook, url: "{server.url}",'
        " signing_secret: {env: TEST_SECRET}}\n"
        for name, server in (("hanging", hanging), ("healthy", healthy))
    )
    (tmp_path / "alerting.yml").write_text(
        f"egress: {{allow: [127.0.0.0/8]}}\nreceivers:\n{receivers}"
        "route: {receivers: [hanging, healthy]}\n"
    )
    (tmp_path / "remediation.yml").write_text("")
    process = AlertingProcess(tmp_path, {"TEST_SECRET": SECRET})
    process.start()
    yield process
    process.kill()
    process.wait_for_death()


def told(server) -> Counter[str]:
    opened = [r.json for r in list(server.requests) if r.json["type"] == "incident.opened"]
    return Counter(event["data"]["incident"]["service"] for event in opened)


def test_a_receiver_that_hangs_keeps_no_other_waiting(process, hanging, healthy):
    names = [f"s{number}" for number in range(SERVICES)]
    wave = [{"labels": {"alertname": "Down", "service": name}} for name in names]
    process.peer.post("/api/v2/alerts", wave)
    wait_until(lambda: hanging.requests, timeout_seconds=120, what="a call hangs")
    wait_until(
        lambda: told(healthy) == Counter(names), timeout_seconds=120, what="the other hears all"
    )
    assert hanging.answered == 0
    hanging.let_go.set()
    wait_until(
        lambda: set(told(hanging)) == set(names), timeout_seconds=240, what="nothing has vanished"
    )
