"""Alerting without its threads: a test moves the clock and lets each part take steps."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from alerting import (
    actions,
    anomaly_feedback,
    approval,
    incident_view,
    kill_switch,
    notifiers,
    outbox,
    precedents,
    response,
    rule_modes,
    silences,
)
from alerting.alert import Alert
from alerting.anomaly_feedback import AnomalyFeedback
from alerting.configuration import Configuration
from alerting.courier import Courier
from alerting.kill_switch import EVERYTHING, Scope
from alerting.matchers import Matcher
from alerting.pipeline import Work
from alerting.remediation_rules import Mode
from alerting.remediator import Remediator
from alerting.retention import Retention
from alerting.router import Router
from alerting.silences import Silence
from alerting.store import Store
from alerting.telemetry import Telemetry
from watchkeeper.clock import ManualClock
from watchkeeper.peers import Peer
from watchkeeper.prometheus import PrometheusClient
from watchkeeper.storage import reading, writing

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

ALERTING = """
update_interval: 30s
egress: {allow: [127.0.0.0/8]}
console_url: http://console.example
receivers:
  - {name: slack, kind: slack, webhook_url: {env: TEST_SLACK_URL, optional: true}}
route: {receivers: [slack]}
"""

RULES = """
endpoints:
  local:
    url: URL
    signing_secret: {env: TEST_SECRET, optional: true}
    timeout: 2s
    deduplicates: DEDUPLICATES
rules:
  - name: restart
    match: ['alertname="WorkerDead"']
    action: restart-service
    target: "{{ labels.process }}"
    endpoint: local
    mode: auto
    cooldown: 60s
    attempts: 2
    verification:
      checks: [{query: 'tasks{process="{{ labels.process }}"}', above: 0, fresh: tasks}]
      settle: 5s
      samples: 2
      every: 5s
      deadline: 60s
"""


def alert(
    name: str = "WorkerDead",
    /,
    *,
    at: datetime = START,
    ends: datetime | None = None,
    **labels: str,
) -> Alert:
    found = {"alertname": name, "service": "shop", "severity": "critical", "process": "worker"}
    return Alert(
        {**found, **labels}, {"summary": f"{name} happened"}, at, ends or at + timedelta(hours=4)
    )


class Desk:
    """Alerting in one hand.

    ``rules`` replaces texts in RULES, such as ``mode: auto``; ``alerting`` is added to ALERTING.
    """

    def __init__(
        self,
        directory: Path,
        *,
        endpoint_url: str = "http://127.0.0.1:1",
        prometheus_url: str = "http://127.0.0.1:1",
        rules: Mapping[str, str] | None = None,
        alerting: str = "",
        clock: ManualClock | None = None,
        deduplicates: bool = True,
        database_url: str = "",
        chart: Callable[[Mapping[str, Any]], bytes] = lambda _incident: b"",
    ) -> None:
        self.clock = clock or ManualClock(START)
        self.directory = directory
        text = RULES.replace("URL", endpoint_url).replace("DEDUPLICATES", str(deduplicates).lower())
        for old, new in (rules or {}).items():
            assert old in text, f"nothing to replace: {old}"
            text = text.replace(old, new)
        self.alerting_file = directory / "alerting.yml"
        self.rules_file = directory / "remediation.yml"
        self.alerting_file.write_text(ALERTING + alerting)
        self.rules_file.write_text(text)
        self._prometheus_url = prometheus_url
        self._database_url = database_url
        self._chart = chart
        self.open()

    def open(self) -> None:
        """Start, or start again after ``close`` as a new process would."""
        self.registry = CollectorRegistry()
        self.configuration = Configuration(
            self.alerting_file, self.rules_file, registry=self.registry, clock=self.clock
        )
        self.store = Store(self.directory, url=self._database_url)
        telemetry = Telemetry(self.registry)
        shared: dict[str, Any] = {
            "engine": self.store.engine, "clock": self.clock, "telemetry": telemetry,
        }  # fmt: skip
        self.router = Router(
            configuration=self.configuration, on_commit=lambda _receivers: None, **shared
        )
        self.remediator = Remediator(
            configuration=self.configuration,
            prometheus=PrometheusClient(self._prometheus_url, timeout_seconds=2),
            **shared,
        )
        sending: dict[str, Any] = {
            **shared, "settings": lambda: self.configuration.alerting, "rng": random.Random(7),
        }  # fmt: skip
        self.courier = Courier("slack", self._notifier, chart=self._chart, **sending)
        feedback = AnomalyFeedback(Peer("anomaly"))
        self._feedback = Courier(anomaly_feedback.RECEIVER, lambda: feedback, **sending)
        if not self.store.is_shared:
            with writing(self.store.engine) as connection:
                outbox.release_all(connection)
                actions.release_all(connection)

    def close(self) -> None:
        self.store.close()

    def _notifier(self):
        settings = self.configuration.alerting
        options = settings.receiver("slack")
        assert options is not None
        return notifiers.build(options, settings.egress.policy) if options.is_configured else None

    def fire(self, name: str = "WorkerDead", /, **labels: str) -> None:
        self.router.accept([alert(name, at=self.clock.now(), **labels)])

    def resolve(self, name: str = "WorkerDead", /, **labels: str) -> None:
        self.router.accept([alert(name, at=START, ends=self.clock.now(), **labels)])

    def silence(self, *matchers: str, seconds: float = 600, by: str = "ana") -> str:
        """Silence what matches from now on and return the silence's id."""
        now = self.clock.now()
        wanted = Silence(
            "", tuple(map(Matcher.parse, matchers)), now, now + timedelta(seconds=seconds), by,
            "planned", now,
        )  # fmt: skip
        with writing(self.store.engine) as connection:
            silence_id = silences.put(connection, wanted, now=now)
        self.router.review_all()
        return silence_id

    def _do(self, deed: Callable[[Work], object]) -> None:
        with writing(self.store.engine) as connection:
            settings = self.configuration
            deed(Work(connection, self.clock.now(), settings.alerting, settings.remediation))

    def pause(self, scope: Scope = EVERYTHING, *, seconds: float | None = None) -> None:
        now = self.clock.now()
        until = None if seconds is None else now + timedelta(seconds=seconds)
        with writing(self.store.engine) as connection:
            kill_switch.pause(
                connection, reason="drill", by="ana", now=now, scope=scope, until=until
            )

    def resume(self, scope: Scope = EVERYTHING) -> None:
        with writing(self.store.engine) as connection:
            kill_switch.resume(connection, reason="", by="ana", now=self.clock.now(), scope=scope)

    def approve(self, *, by: str = "ana") -> None:
        """Approve the one action there is."""
        [action] = self.actions()
        with writing(self.store.engine) as connection:
            approval.approve(connection, action["idempotency_key"], by=by, now=self.clock.now())

    def add_receiver(self, name: str) -> None:
        """Add a Slack receiver that nothing is routed to, and take the file up."""
        line = f"  - {{name: {name}, kind: slack, webhook_url: {{env: TEST_SLACK_URL}}}}\n"
        text = self.alerting_file.read_text().replace("route:", f"{line}route:", 1)
        self.alerting_file.write_text(text)
        self.configuration.reload_if_changed()
        assert self.configuration.problems() == []

    def reconfigure(self, more: str, *, route: str = "") -> None:
        """Add ``more`` to alerting.yml, replace its route, and take it up."""
        lines = self.alerting_file.read_text().splitlines()
        if route:
            lines = [f"route: {route}" if one.startswith("route:") else one for one in lines]
        self.alerting_file.write_text("\n".join(lines) + "\n" + more)
        self.configuration.reload_if_changed()
        assert self.configuration.problems() == []

    def acknowledge(self, *, by: str = "ana") -> None:
        found = self.incident()["id"]
        self._do(lambda work: response.acknowledge(found, by=by, text="", work=work))

    def note(self, text: str, *, by: str) -> None:
        found = self.incident()["id"]
        self._do(lambda work: response.note(found, text=text, by=by, work=work))

    def call_no_problem(self, *, by: str, text: str) -> None:
        found = self.incident()["id"]
        self._do(lambda work: response.call_no_problem(found, by=by, text=text, work=work))

    def hand_on_feedback(self) -> None:
        while self._feedback.step():
            pass

    def similar(self) -> list[dict[str, Any]]:
        """Return what looks like the newest incident."""
        with reading(self.store.engine) as connection:
            return precedents.similar(connection, self.incidents()[0]["id"])

    def switch_rule(self, name: str, mode: str) -> None:
        with writing(self.store.engine) as connection:
            rule_modes.switch(
                connection, self.configuration.remediation, name, mode=Mode(mode), by="ana",
                reason="", now=self.clock.now(),
            )  # fmt: skip

    def mode_of(self, name: str) -> str:
        with reading(self.store.engine) as connection:
            rule = rule_modes.in_force(connection, self.configuration.remediation).rule(name)
        assert rule is not None
        return rule.mode

    def deliver(self) -> int:
        """Make every delivery that is due, as fast as the receiver allows; return the attempts."""
        attempts = 0
        while True:
            if self.courier.step():
                attempts += 1
            elif pause_seconds := self.courier.pause_seconds():
                self.clock.advance(pause_seconds)
            else:
                return attempts

    def act(self) -> int:
        """Take every due action as far as it gets without time passing."""
        steps = 0
        while self.remediator.step():
            steps += 1
        return steps

    def pass_time(self, seconds: float, *, step_seconds: float = 1.0) -> None:
        """Let time pass in steps, everyone doing what becomes due."""
        for _ in range(round(seconds / step_seconds)):
            self.clock.advance(step_seconds)
            self.act()
            self.deliver()

    def sweep(self) -> dict[str, int]:
        """Let retention run; return what it deleted, by kind."""
        counts: Counter[str] = Counter()
        Retention(
            engine=self.store.engine,
            clock=self.clock,
            settings=lambda: self.configuration.alerting.retention,
            on_pruned=lambda kind, count: counts.update({kind: count}),
        ).run()
        return dict(+counts)

    def incidents(self) -> list[dict[str, Any]]:
        with reading(self.store.engine) as connection:
            return incident_view.newest(connection, status=None, limit=100)

    def incident(self) -> dict[str, Any]:
        [found] = self.incidents()
        return found

    def kinds(self) -> list[str]:
        return [entry["kind"] for entry in self.incident()["timeline"]]

    def story(self) -> str:
        return "\n".join(f"{e['kind']}: {e['text']}" for e in self.incident()["timeline"])

    def actions(self) -> list[dict[str, Any]]:
        with reading(self.store.engine) as connection:
            return actions.newest(connection, 100)[::-1]

    def deliveries(self) -> list[dict[str, Any]]:
        with reading(self.store.engine) as connection:
            return outbox.newest(connection, 100)[::-1]
