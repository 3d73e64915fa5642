"""When nobody takes an incident the next person is called; who took it is left in peace."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from alerting.heartbeat import Heartbeat
from alerting.settings import AlertingSettings
from alerting.telemetry import Telemetry
from tests.alerting.loopback import LoopbackServer, Reply
from watchkeeper.catalogue import watchkeeper as names

LEVELS = """
escalation:
  - {after: 10m, receivers: [boss]}
  - {after: 30m, receivers: [owner], severities: [critical, warning]}
"""


@pytest.fixture
def desk(make_desk):
    desk = make_desk()
    for name in ("boss", "owner"):
        desk.add_receiver(name)
    desk.reconfigure(LEVELS)
    return desk


def wait(desk, minutes: float) -> list[tuple[str, str]]:
    desk.clock.advance(minutes * 60)
    desk.router.escalate()
    return [(o["receiver"], o["event"]) for o in desk.deliveries() if o["receiver"] != "slack"]


def test_nobody_taking_it_calls_one_level_after_the_other_and_each_once(desk):
    desk.fire("Down")
    assert wait(desk, 9) == []
    assert wait(desk, 2) == [("boss", "escalated")]
    assert wait(desk, 1) == [("boss", "escalated")]
    assert wait(desk, 20) == [("boss", "escalated"), ("owner", "escalated")]
    assert "nobody took it within 10 min: calling boss" in desk.story()


def test_who_was_called_hears_the_end(desk):
    desk.fire("Down")
    wait(desk, 11)
    desk.resolve("Down")
    assert wait(desk, 0)[-1] == ("boss", "resolved")


def test_an_incident_somebody_took_escalates_no_further(desk):
    desk.fire("Down")
    wait(desk, 11)
    desk.acknowledge()
    assert ("owner", "escalated") not in wait(desk, 60)


def test_a_level_is_for_its_severities(desk):
    desk.fire("Slow", severity="warning")
    assert wait(desk, 20) == []
    assert wait(desk, 20) == [("owner", "escalated")]


def test_what_is_silenced_wakes_nobody(desk):
    desk.fire("Down")
    desk.silence("alertname=Down", seconds=3600)
    assert wait(desk, 31) == []


@pytest.fixture
def beat(clock, monkeypatch):
    with LoopbackServer(lambda _request: Reply()) as server:
        monkeypatch.setenv("TEST_HEARTBEAT", f"{server.url}/ping/abc")
        settings = AlertingSettings.model_validate(
            {
                "heartbeat": {"url": {"env": "TEST_HEARTBEAT"}, "every": "30s"},
                "egress": {"allow": ["127.0.0.0/8"]},
            }
        )
        beat = SimpleNamespace(server=server, problems={}, registry=CollectorRegistry())
        beat.heart = Heartbeat(
            clock=clock,
            settings=lambda: settings,
            problems=lambda: beat.problems,
            telemetry=Telemetry(beat.registry),
        )
        yield beat


def outcome(beat, word: str) -> float | None:
    return beat.registry.get_sample_value(str(names.HEARTBEATS), {"outcome": word})


def test_a_sign_of_life_goes_out_as_often_as_asked(beat, clock):
    for _ in range(4):
        beat.heart.run()
        clock.advance(15)
    assert [request.path for request in beat.server.requests] == ["/ping/abc"] * 2
    assert outcome(beat, "ok") == 2


def test_a_service_that_cannot_do_its_job_is_missed_too(beat, clock):
    beat.problems = {"database": "disk full"}
    beat.heart.run()
    assert beat.server.requests == []
    assert outcome(beat, "withheld") == 1
