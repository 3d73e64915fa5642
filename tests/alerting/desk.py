"""Alerting without its threads: a test moves the clock and lets each part take steps."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from alerting import actions, incident_view, notifiers, outbox, silences
from alerting.alert import Alert
from alerting.configuration import Configuration
from alerting.courier import Courier
from alerting.matchers import Matcher
from alerting.remediator import Remediator
from alerting.router import Router
from alerting.silences import Silence
from alerting.store import Store
from alerting.telemetry import Telemetry
from watchkeeper.clock import ManualClock
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
        self.open()

    def open(self) -> None:
        """Start, or start again after ``close`` as a new process would."""
        self.registry = CollectorRegistry()
        self.configuration = Configuration(
            self.alerting_file, self.rules_file, registry=self.registry, clock=self.clock
        )
        self.store = Store(self.directory)
        telemetry = Telemetry(self.registry)
        shared: dict[str, Any] = {
            "engine": self.store.engine, "clock": self.clock, "telemetry": telemetry,
        }  # fmt: skip
        self.router = Router(configuration=self.configuration, on_commit=lambda: None, **shared)
        self.remediator = Remediator(
            configuration=self.configuration,
            prometheus=PrometheusClient(self._prometheus_url, timeout_seconds=2),
            **shared,
        )
        self.courier = Courier(
            "slack",
            self._notifier,
            settings=lambda: self.configuration.alerting,
            rng=random.Random(7),
            **shared,
        )
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
