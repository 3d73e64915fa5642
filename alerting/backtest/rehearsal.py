"""Runs the very pipeline, guards and outbox that run live over past alerts, and calls nobody.

Every rule that would act is rehearsed: its guards decide, what it would send is rendered, and it
counts against cooldowns and budgets as a real action would. Preconditions and pools are asked of
Prometheus as it was then. Whether an action would have helped cannot be known: nothing is verified.
A rule that only tells people does tell them here, into an outbox that nobody empties.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from alerting import actions, incident_view, outbox
from alerting.backtest.history import Happening
from alerting.configuration import Configuration
from alerting.pipeline import Event
from alerting.remediation_rules import Mode, RemediationSettings, RuleSettings
from alerting.remediator import Remediator
from alerting.router import Router
from alerting.store import Store
from alerting.telemetry import Telemetry
from watchkeeper.clock import ManualClock
from watchkeeper.prometheus import PrometheusClient, Sample
from watchkeeper.storage import reading

FOR_EVER = timedelta(days=3650)
MAX_SHOWN = 100_000
QUIET_TICK_SECONDS = 60.0
"""How often the clock stops between happenings, for what waits for its time."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What would have happened: incidents, messages and actions as the API shows them.

    Attributes:
        unusable: receivers whose secrets are not set here, so that no message to them is counted.
    """

    incidents: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    unusable: tuple[str, ...] = ()

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many of each there were, by what a reader compares."""
        return {
            "incidents": _count(one["service"] for one in self.incidents),
            "messages": _count(f"{one['receiver']} {one['event']}" for one in self.messages),
            "actions": _count(
                f"{one['rule']} {one['target']} {_outcome(one)}" for one in self.actions
            ),
        }


class PastPrometheus:
    """Prometheus as it was at the rehearsal's time."""

    def __init__(self, prometheus: PrometheusClient, clock: ManualClock) -> None:
        self._prometheus = prometheus
        self._clock = clock

    def query(self, expression: str) -> list[Sample]:
        """Evaluate an instant query at the rehearsal's time."""
        return self._prometheus.query(expression, at=self._clock.now())


class RehearsedConfiguration(Configuration):
    """The files under test, with every rule that acts turned into one that rehearses."""

    @property
    def remediation(self) -> RemediationSettings:
        """The rules, those that act in observe mode."""
        found = super().remediation
        rules = tuple(rule.model_copy(update={"mode": _rehearsed(rule)}) for rule in found.rules)
        return found.model_copy(update={"rules": rules})


def _rehearsed(rule: RuleSettings) -> Mode:
    if rule.mode in (Mode.OFF, Mode.OBSERVE):
        return rule.mode
    return Mode.AUTO if rule.informs else Mode.OBSERVE


def rehearse(
    past: Sequence[Happening],
    alerting_file: Path,
    remediation_file: Path,
    prometheus: PrometheusClient,
    *,
    end: datetime,
) -> Rehearsed:
    """Return what ``past`` would have caused under the two files until ``end``.

    Raises:
        ConfigError: a file cannot be used.
    """
    clock = ManualClock(past[0].at if past else end)
    registry = CollectorRegistry()
    configuration = RehearsedConfiguration(
        alerting_file, remediation_file, registry=registry, clock=clock
    )
    with tempfile.TemporaryDirectory() as directory:
        store = Store(Path(directory))
        telemetry = Telemetry(registry)
        router = Router(
            engine=store.engine, clock=clock, configuration=configuration, telemetry=telemetry,
            on_commit=lambda _receivers: None,
        )  # fmt: skip
        remediator = Remediator(
            engine=store.engine, clock=clock, configuration=configuration, telemetry=telemetry,
            prometheus=PastPrometheus(prometheus, clock),
        )  # fmt: skip
        for at, due in _ticks(past, end):
            clock.advance(max(0.0, (at - clock.now()).total_seconds()))
            router.accept([_as_sent(one) for one in due])
            router.review()
            router.escalate()
            while remediator.step():
                pass
        found = _result(store)
        store.close()
    receivers = configuration.alerting.receivers
    return replace(found, unusable=tuple(one.name for one in receivers if not one.is_configured))


def _as_sent(happening: Happening) -> Any:
    """Return the alert as its client would have sent it at that time."""
    alert = happening.alert
    is_over = happening.at >= alert.ends_at
    return replace(alert, ends_at=alert.ends_at if is_over else happening.at + FOR_EVER)


def _ticks(past: Sequence[Happening], end: datetime) -> Iterator[tuple[datetime, list[Happening]]]:
    """Yield each time something is to be done, with what began or ended then."""
    tick = timedelta(seconds=QUIET_TICK_SECONDS)
    at, index = past[0].at if past else end + tick, 0
    while at <= end:
        first = index
        while index < len(past) and past[index].at <= at:
            index += 1
        yield at, list(past[first:index])
        upcoming = past[index].at if index < len(past) else end + tick
        at = min(at + tick, max(upcoming, at + timedelta(seconds=1)))


def _result(store: Store) -> Rehearsed:
    with reading(store.engine) as connection:
        return Rehearsed(
            incident_view.newest(connection, status=None, limit=MAX_SHOWN)[::-1],
            _told(outbox.newest(connection, MAX_SHOWN)[::-1]),
            actions.newest(connection, MAX_SHOWN)[::-1],
        )


def _told(deliveries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the first messages that were withdrawn, since all was over within their wait.

    A superseded update counts: it is so here only because nobody empties this outbox.
    """
    withdrawn = (Event.OPENED, outbox.State.SUPERSEDED)
    return [one for one in deliveries if (one["event"], one["state"]) != withdrawn]


def _count(words: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def _outcome(action: dict[str, Any]) -> str:
    if action["state"] == actions.State.OBSERVED:
        return "would have been done"
    if not action["endpoint"] and action["state"] in actions.SPENT:
        return str(action["summary"])
    return f"held back ({', '.join(action['denied_by']) or action['state']})"
