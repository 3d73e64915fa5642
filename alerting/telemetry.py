"""What alerting says of itself on /metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.engine import Connection, Engine

from alerting import incidents, kill_switch, outbox, tables
from alerting.alert import SEVERITIES
from alerting.guard_facts import budgets_left
from alerting.kill_switch import Kind, Pause
from alerting.remediation_rules import RemediationSettings
from watchkeeper.catalogue import Metric
from watchkeeper.catalogue import watchkeeper as names
from watchkeeper.clock import Clock
from watchkeeper.errors import StorageError
from watchkeeper.storage import reading

LATENCY_BOUNDS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, 86400)
RECOVERY_BOUNDS_SECONDS = (5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800, 3600)


class Telemetry:
    """Counts what happens in this process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._received = names.ALERTS_RECEIVED.counter(registry)
        self._invalid = names.ALERTS_INVALID.counter(registry)
        self._healed = names.ALERTS_HEALED.counter(registry)
        self._reconciliations = names.RECONCILIATIONS.counter(registry)
        self._opened = names.INCIDENTS_OPENED.counter(registry)
        self._deliveries = names.DELIVERIES.counter(registry)
        self._latency = names.DELIVERY_LATENCY.histogram(registry, LATENCY_BOUNDS_SECONDS)
        self._notify = names.DETECT_TO_NOTIFY.histogram(registry, LATENCY_BOUNDS_SECONDS)
        self._broken = names.CIRCUIT_OPEN.gauge(registry)
        self._duplicates = names.DUPLICATES_AVOIDED.counter(registry)
        self._heartbeats = names.HEARTBEATS.counter(registry)
        self._limited = names.REQUESTS_LIMITED.counter(registry)
        self._pruned = names.ROWS_PRUNED.counter(registry)
        self._actions = names.ACTIONS.counter(registry)
        self._denials = names.ACTION_DENIALS.counter(registry)
        self._recovery = names.RECOVERY.histogram(registry, RECOVERY_BOUNDS_SECONDS)

    def received(self, *, firing: int, resolved: int, invalid: int) -> None:
        """Count the alerts of one committed batch, and those it refused."""
        self._received.labels("firing").inc(firing)
        self._received.labels("resolved").inc(resolved)
        self._invalid.inc(invalid)

    def reconciled(self, outcome: str, *, healed: int = 0) -> None:
        """Count a comparison with Prometheus, and the alerts it brought."""
        self._reconciliations.labels(outcome).inc()
        self._healed.inc(healed)

    def limited(self, kind: str) -> None:
        """Count a request refused for there being too many: whose, or ``overload``."""
        self._limited.labels(kind).inc()

    def opened(self, severity: str) -> None:
        """Count an incident that opened."""
        self._opened.labels(severity).inc()

    def delivered(
        self, receiver: str, *, latency_seconds: float, since_start_seconds: float | None
    ) -> None:
        """Count a delivery; ``since_start_seconds`` only for an incident's first message."""
        self._deliveries.labels(receiver, "delivered").inc()
        self._latency.labels(receiver).observe(max(0.0, latency_seconds))
        if since_start_seconds is not None:
            self._notify.observe(max(0.0, since_start_seconds))

    def not_delivered(self, receiver: str, *, is_dead: bool) -> None:
        """Count a failed attempt."""
        self._deliveries.labels(receiver, "dead" if is_dead else "retried").inc()

    def broken(self, receiver: str, *, is_open: bool) -> None:
        """Show whether a receiver is left alone because it does not answer."""
        self._broken.labels(receiver).set(is_open)

    def duplicate_avoided(self, kind: str, count: int = 1) -> None:
        """Count what was not done because it had been done: by a lease, a renewal, a question."""
        self._duplicates.labels(kind).inc(count)

    def heartbeat(self, outcome: str) -> None:
        """Count a sign of life, or why there was none."""
        self._heartbeats.labels(outcome).inc()

    def pruned(self, kind: str, count: int) -> None:
        """Count what retention deleted."""
        self._pruned.labels(kind).inc(count)

    def denied(self, rule: str, guard: str) -> None:
        """Count a guard's first refusal of an action."""
        self._denials.labels(rule, guard).inc()

    def ended(self, rule: str, action: str, state: str) -> None:
        """Count an action that reached its final state."""
        self._actions.labels(rule, action, state).inc()

    def recovered(self, rule: str, action: str, *, seconds: float) -> None:
        """Record the time from the alert's start to the verified fix."""
        self._recovery.labels(rule, action).observe(max(0.0, seconds))


@dataclass(frozen=True, slots=True)
class StoreCollector(Collector):
    """Gauges read from the database at each scrape, so that they survive restarts.

    While the database cannot be read the gauges are absent: an old number would be a lie.
    """

    engine: Engine
    clock: Clock
    receivers: Callable[[], list[str]]
    remediation: Callable[[], RemediationSettings]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges as they stand now."""
        try:
            with reading(self.engine) as connection:
                yield from list(self._gauges(connection, self.clock.now()))
        except StorageError:
            return

    def _gauges(self, connection: Connection, now: datetime) -> Iterator[GaugeMetricFamily]:
        yield self._incidents(connection)
        yield from self._outbox(connection, now)
        yield from _pauses(kill_switch.in_force(connection, now=now))
        yield self._budgets(connection, now)

    def _budgets(self, connection: Connection, now: datetime) -> GaugeMetricFamily:
        family = _family(names.ACTION_BUDGET_LEFT)
        for rule, left in budgets_left(connection, self.remediation(), now=now).items():
            family.add_metric([rule], left)
        return family

    def _incidents(self, connection: Connection) -> GaugeMetricFamily:
        table = tables.incidents
        rows = connection.execute(
            sa.select(table.c.severity, sa.func.count())
            .where(table.c.status == incidents.OPEN)
            .group_by(table.c.severity)
        )
        counts = {str(severity): count for severity, count in rows}
        family = _family(names.INCIDENTS)
        for severity in SEVERITIES:
            family.add_metric([severity], counts.get(severity, 0))
        return family

    def _outbox(self, connection: Connection, now: datetime) -> Iterator[GaugeMetricFamily]:
        table = tables.deliveries
        # What waits as configured (``group_wait``, ``update_interval``, a silence) is not late.
        since = sa.case((table.c.attempts == 0, table.c.next_attempt_at), else_=table.c.created_at)
        waiting_rows = connection.execute(
            sa.select(table.c.receiver, sa.func.count(), sa.func.min(since))
            .where(table.c.state.in_(outbox.UNSETTLED))
            .group_by(table.c.receiver)
        )
        dead_rows = connection.execute(
            sa.select(table.c.receiver, sa.func.count())
            .where(table.c.state == outbox.State.DEAD)
            .group_by(table.c.receiver)
        )
        waiting = {receiver: (count, oldest) for receiver, count, oldest in waiting_rows}
        dead = dict(tuple(row) for row in dead_rows)
        pending, oldest_age, letters = (
            _family(metric)
            for metric in (names.OUTBOX_PENDING, names.OUTBOX_OLDEST, names.DEAD_LETTERS)
        )
        for receiver in sorted({*self.receivers(), *waiting, *dead}):
            count, oldest = waiting.get(receiver, (0, now))
            pending.add_metric([receiver], count)
            oldest_age.add_metric([receiver], max(0.0, (now - oldest).total_seconds()))
            letters.add_metric([receiver], dead.get(receiver, 0))
        yield from (pending, oldest_age, letters)


def _pauses(pauses: Sequence[Pause]) -> Iterator[GaugeMetricFamily]:
    whole, parts = _family(names.ACTIONS_PAUSED), _family(names.ACTION_PAUSES)
    counts = Counter(one.scope.kind for one in pauses)
    whole.add_metric([], float(counts[Kind.EVERYTHING]))
    for kind in (Kind.RULE, Kind.TARGET):
        parts.add_metric([kind], counts[kind])
    yield from (whole, parts)


def _family(metric: Metric) -> GaugeMetricFamily:
    return GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
