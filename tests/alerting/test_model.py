"""Incidents and messages against a small model, whatever order things happen in.

The model knows only which alerts fire in which service. From that follow the incidents there are,
and what a receiver must have been told in which order, however often it was down, its answers were
lost or the process was started anew.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.alerting.desk import Desk
from tests.alerting.loopback import Reply, SlackServer

SERVICES = st.sampled_from(["shop", "pay", "mail"])
NAMES = st.sampled_from(["Down", "Slow"])

CALM = """
flapping: {changes: 100000}
storm: {messages: 500}
"""


class Alerting(RuleBasedStateMachine):
    """Does to a desk and to the model the same."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.slack = SlackServer()
        self.slack.__enter__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setenv("TEST_SLACK_URL", f"{self.slack.url}/services/T0/B0/x")
        self.desk = Desk(Path(self.directory.name), alerting=CALM)
        self.firing: dict[str, set[str]] = defaultdict(set)
        self.episodes: dict[str, int] = defaultdict(int)

    @rule(service=SERVICES, name=NAMES)
    def fire(self, service: str, name: str) -> None:
        if not self.firing[service]:
            self.episodes[service] += 1
        self.firing[service].add(name)
        self.desk.fire(name, service=service)

    @rule(service=SERVICES, name=NAMES)
    def resolve(self, service: str, name: str) -> None:
        self.firing[service].discard(name)
        self.desk.clock.advance(1)
        self.desk.resolve(name, service=service)

    @rule(seconds=st.sampled_from([1.0, 20.0, 100.0]))
    def pass_time(self, seconds: float) -> None:
        self.desk.clock.advance(seconds)
        self.desk.deliver()

    @rule(is_down=st.booleans())
    def the_receiver_goes_or_comes(self, is_down: bool) -> None:
        self.slack.is_down = is_down

    @rule()
    def the_receiver_stumbles(self) -> None:
        self.slack.script.append(Reply(503, b"not now"))

    @rule()
    def start_anew(self) -> None:
        self.desk.close()
        self.desk.open()

    @invariant()
    def one_open_incident_for_each_service_that_suffers(self) -> None:
        found = [i["service"] for i in self.desk.incidents() if i["status"] == "open"]
        assert sorted(found) == sorted(name for name, alerts in self.firing.items() if alerts)

    @invariant()
    def as_many_incidents_as_episodes(self) -> None:
        counts: dict[str, int] = defaultdict(int)
        for incident in self.desk.incidents():
            counts[incident["service"]] += 1
        assert counts == {name: count for name, count in self.episodes.items() if count}

    def teardown(self) -> None:
        try:
            self._everything_is_told_once_and_in_order()
        finally:
            self.desk.close()
            self.slack.__exit__()
            self.patch.undo()
            self.directory.cleanup()

    def _everything_is_told_once_and_in_order(self) -> None:
        self.slack.is_down = False
        for _ in range(12):
            self.desk.clock.advance(1000)
            self.desk.deliver()
        told: dict[str, list[str]] = defaultdict(list)
        for message in self.slack.taken:
            incident_id = message["blocks"][-1]["elements"][0]["text"].partition(" ")[0]
            told[incident_id].append(message["text"][0])
        for incident in self.desk.incidents():
            story = [mark for mark in told[incident["id"]] if mark in "🔴🟢"]
            assert story == (["🔴", "🟢"] if incident["status"] == "resolved" else ["🔴"])


Alerting.TestCase.settings = settings(
    max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAlertingAgainstItsModel = Alerting.TestCase
