"""The real process: over HTTP, with real files, killed at every boundary."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import pytest

from tests.alerting.desk import ALERTING, RULES
from tests.alerting.loopback import SECRET, EndpointServer, Reply, Request, SlackServer
from tests.alerting.process import AlertingProcess
from tests.waiting import wait_until
from watchkeeper.errors import UpstreamError

pytestmark = pytest.mark.live


@pytest.fixture
def process(tmp_path, slack: SlackServer, endpoint: EndpointServer) -> Iterator[AlertingProcess]:
    (tmp_path / "alerting.yml").write_text(ALERTING)
    rules = RULES.replace("URL", endpoint.url).replace("DEDUPLICATES", "true")
    (tmp_path / "remediation.yml").write_text(rules)
    service = AlertingProcess(
        tmp_path, {"TEST_SLACK_URL": f"{slack.url}/services/x", "TEST_SECRET": SECRET}
    )
    service.start()
    yield service
    service.stop()


def posted(service: str, *, ended: bool = False, name: str = "Dead") -> dict[str, object]:
    labels = {"alertname": name, "service": service, "severity": "critical", "process": service}
    times = {"startsAt": "2026-01-05T09:00:00Z"}
    if ended:
        times["endsAt"] = "2026-01-05T09:01:00Z"
    return {"labels": labels, "annotations": {"summary": f"{service} is dead"}, **times}


def test_an_alert_becomes_an_incident_a_message_and_an_action(process, slack, endpoint):
    process.peer.post("/api/v2/alerts", [posted("shop", name="WorkerDead")])
    wait_until(lambda: slack.taken, what="the message")
    wait_until(lambda: endpoint.effects, what="the action")
    [incident] = process.peer.get("/api/v1/incidents", status="open")["incidents"]
    assert incident["service"] == "shop"
    assert process.peer.get(f"/api/v1/incidents/{incident['id']}")["id"] == incident["id"]
    [shown] = process.peer.get("/api/v2/alerts")
    assert shown["labels"]["alertname"] == "WorkerDead"
    assert shown["status"]["state"] == "active"
    assert shown["receivers"] == [{"name": "slack"}]
    [action] = process.peer.get("/api/v1/actions")["actions"]
    assert action["target"] == "shop"
    events = {entry["event"] for entry in process.peer.get("/api/v1/audit")["audit"]}
    assert {"planned", "claimed", "dispatched"} <= events
    wait_until(
        lambda: process.peer.get("/api/v1/deliveries")["deliveries"][-1]["state"] == "delivered",
        what="the delivery is marked",
    )


def test_the_kill_switch_survives_a_kill(process, endpoint):
    process.peer.post("/api/v1/pause", {"reason": "drill", "by": "ana"})
    process.kill()
    process.wait_for_death()
    process.start()
    status = process.peer.get("/api/v1/status")
    assert (status["paused"], status["reason"], status["by"]) == (True, "drill", "ana")
    process.peer.post("/api/v2/alerts", [posted("shop", name="WorkerDead")])
    wait_until(
        lambda: process.peer.get("/api/v1/actions")["actions"][0]["denied_by"] == ["paused"],
        what="the denial",
    )
    assert endpoint.requests == []
    assert process.peer.post("/api/v1/resume")["paused"] is False
    wait_until(lambda: endpoint.effects, what="the action after resuming")


def test_it_keeps_others_off_its_data_and_stops_cleanly(process, tmp_path):
    second = AlertingProcess(tmp_path, {"TEST_SECRET": SECRET})
    second.log = tmp_path / "second.log"
    second.launch()
    assert second.wait_for_death() != 0
    assert "another alerting process uses" in second.log.read_text()
    process.peer.post("/api/v2/alerts", [posted("shop")])
    assert process.stop() == 0
    lines = process.log.read_text().splitlines()
    assert all(line.startswith("{") for line in lines)
    assert not [line for line in lines if '"level": "error"' in line]


class KillingSlack:
    """Kills the process twice, each time at one boundary of one of the first messages."""

    def __init__(self, slack: SlackServer, process: AlertingProcess, rng: random.Random) -> None:
        self._take = slack.answer
        self._process = process
        self._boundaries = {
            number: rng.choice(["before taking", "after taking"])
            for number in rng.sample(range(1, 8), 2)
        }
        self._seen = 0
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Reply:
        with self._lock:
            self._seen += 1
            boundary = self._boundaries.pop(self._seen, None)
            if boundary == "before taking":
                self._process.kill()
                return Reply(hangs_up=True)
            taken = self._take(request)
            if boundary == "after taking":
                self._process.kill()
            return taken

    @property
    def is_done(self) -> bool:
        return not self._boundaries


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_boundary_every_transition_is_told_in_order(process, slack, seed):
    rng = random.Random(seed)
    slack.answer = killer = KillingSlack(slack, process, rng)
    services = [f"s{number}" for number in range(4)]
    steps = [(name, False) for name in services] + [(name, True) for name in services]
    for name, ended in steps:
        post_until_taken(process, posted(name, ended=ended))
    wait_until(
        lambda: all_told(process, slack, services), timeout_seconds=120, what="every message"
    )
    assert killer.is_done
    for name in services:
        told = [line[0] for line in slack.headlines if f"{name} is dead" in line]
        assert [mark for mark in told if mark in "🔴🟢"] == sorted(told, key="🔴🟢".index)


def all_told(process: AlertingProcess, slack: SlackServer, services: list[str]) -> bool:
    revive(process)
    lines = slack.headlines
    return all(
        any(line.startswith(mark) and f"{name} is dead" in line for line in lines)
        for name in services
        for mark in "🔴🟢"
    )


def post_until_taken(process: AlertingProcess, item: dict[str, object]) -> None:
    """As Prometheus does: send again until it is confirmed."""

    def is_taken() -> bool:
        revive(process)
        try:
            process.peer.post("/api/v2/alerts", [item])
        except UpstreamError:
            return False
        return True

    wait_until(is_taken, timeout_seconds=120, what="the alert is taken")


def revive(process: AlertingProcess) -> None:
    if process.is_dead():
        process.launch()
