"""Deletes what has become old, a little at a time, so that nobody waits behind it.

Never an open incident, never a message not settled, never an action under way, and of the audit
only what its settings give away, behind an anchor.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from alerting import actions, audit, incidents, outbox, silences, tables
from alerting.settings import RetentionSettings
from watchkeeper.clock import Clock
from watchkeeper.storage import writing

INCIDENTS_AT_ONCE = 20
ROWS_AT_ONCE = 500
"""In one transaction: some milliseconds of the write lock."""

ROUNDS = 200
"""In one run; what is left waits for the next, so that a long backlog hampers nothing."""

Broom = Callable[[Connection, RetentionSettings, datetime], int]


class Retention:
    """Sweeps by the settings in force."""

    def __init__(
        self,
        *,
        engine: Engine,
        clock: Clock,
        settings: Callable[[], RetentionSettings],
        on_pruned: Callable[[str, int], None],
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._settings = settings
        self._on_pruned = on_pruned

    def run(self) -> None:
        """Delete what is old, in many small transactions; raise StorageError when one fails."""
        for name, broom in BROOMS.items():
            for _ in range(ROUNDS):
                with writing(self._engine) as connection:
                    count = broom(connection, self._settings(), self._clock.now())
                self._on_pruned(name, count)
                if not count:
                    break


def _incidents(connection: Connection, settings: RetentionSettings, now: datetime) -> int:
    """Delete resolved incidents with all that belongs to them."""
    table = tables.incidents
    deliveries, done = tables.deliveries, tables.actions
    unsettled = sa.exists().where(
        deliveries.c.incident_id == table.c.id, deliveries.c.state.in_(outbox.UNSETTLED)
    )
    under_way = sa.exists().where(
        done.c.incident_id == table.c.id, done.c.state.in_(actions.IN_FLIGHT)
    )
    rows = connection.execute(
        sa.select(table.c.id)
        .where(
            table.c.status == incidents.RESOLVED,
            table.c.resolved_at < now - timedelta(seconds=settings.incidents_seconds),
            ~unsettled,
            ~under_way,
        )
        .order_by(table.c.seq)
        .limit(INCIDENTS_AT_ONCE)
    )
    ids = [row.id for row in rows]
    if ids:
        for part in (tables.timeline, tables.incident_alerts, deliveries, done):
            connection.execute(sa.delete(part).where(part.c.incident_id.in_(ids)))
        connection.execute(sa.delete(table).where(table.c.id.in_(ids)))
    return len(ids)


def _alerts(connection: Connection, settings: RetentionSettings, now: datetime) -> int:
    """Delete what is known of label sets that have not fired for long."""
    table = tables.alerts
    before = now - timedelta(seconds=settings.alerts_seconds)
    return _delete_some(
        connection, table.c.fingerprint, table.c.status == "resolved", table.c.ends_at < before
    )


def _changes(connection: Connection, settings: RetentionSettings, now: datetime) -> int:
    """Delete changes that flapping no longer looks at; the last one tells whether it fires."""
    table = tables.alert_changes
    newer = table.alias("newer")
    is_newest = ~sa.exists().where(
        newer.c.fingerprint == table.c.fingerprint, newer.c.seq > table.c.seq
    )
    before = now - timedelta(seconds=settings.changes_seconds)
    still_tells = sa.and_(table.c.is_firing, is_newest)
    return _delete_some(connection, table.c.seq, table.c.at < before, ~still_tells)


def _silences(connection: Connection, _settings: RetentionSettings, now: datetime) -> int:
    before = now - timedelta(seconds=silences.KEPT_SECONDS)
    return _delete_some(connection, tables.silences.c.id, tables.silences.c.ends_at < before)


def _audit(connection: Connection, settings: RetentionSettings, now: datetime) -> int:
    if settings.audit_seconds is None:
        return 0
    before = now - timedelta(seconds=settings.audit_seconds)
    return audit.prune(connection, before=before, now=now, limit=ROWS_AT_ONCE)


def _delete_some(
    connection: Connection, key: sa.Column[str] | sa.Column[int], *where: sa.ColumnElement[bool]
) -> int:
    some = sa.select(key).where(*where).limit(ROWS_AT_ONCE).subquery()
    result = connection.execute(sa.delete(key.table).where(key.in_(sa.select(some.c[key.name]))))
    return result.rowcount


BROOMS: dict[str, Broom] = {
    "incidents": _incidents,
    "alerts": _alerts,
    "alert_changes": _changes,
    "silences": _silences,
    "audit": _audit,
}
"""By what they sweep, as the metric's label."""
