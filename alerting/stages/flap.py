"""Damps alerts that come and go: their end is believed only when they stay away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import tables
from alerting.alert import Alert
from alerting.pipeline import Batch, Work
from watchkeeper import bulk

_table = tables.alert_changes


class Flap:
    """Puts the end of a flapping alert off by the time it must stay away.

    The delay is as long as the changes are counted back, so when it is over none of them counts any
    more and the end passes.
    """

    def run(self, batch: Batch, work: Work) -> Batch:
        """Note every change and return the alerts, the ends of flapping ones put off."""
        if not batch.is_from_client:
            return batch
        said = {alert.fingerprint: alert.is_firing(work.now) for alert in batch.alerts}
        said_before = _said_before(work.connection, list(said))
        changed = {
            fingerprint: is_firing
            for fingerprint, is_firing in said.items()
            if said_before.get(fingerprint, False) is not is_firing
        }
        _note(changed, work)
        ending = [fingerprint for fingerprint, is_firing in said.items() if not is_firing]
        flapping = _flapping(ending, work)
        alerts = [
            _put_off(alert, work) if alert.fingerprint in flapping else alert
            for alert in batch.alerts
        ]
        return replace(batch, alerts=alerts)


def _put_off(alert: Alert, work: Work) -> Alert:
    ends_at = work.now + timedelta(seconds=work.settings.flapping.within_seconds)
    return replace(alert, ends_at=ends_at)


def _said_before(connection: Connection, fingerprints: Sequence[str]) -> dict[str, bool]:
    newest = (
        sa.select(sa.func.max(_table.c.seq))
        .where(bulk.among(_table.c.fingerprint, fingerprints))
        .group_by(_table.c.fingerprint)
    )
    rows = connection.execute(
        sa.select(_table.c.fingerprint, _table.c.is_firing).where(_table.c.seq.in_(newest))
    )
    return {row.fingerprint: row.is_firing for row in rows}


def _note(changed: Mapping[str, bool], work: Work) -> None:
    rows = [
        {"fingerprint": fingerprint, "at": work.now, "is_firing": is_firing}
        for fingerprint, is_firing in changed.items()
    ]
    bulk.insert_all(work.connection, _table, rows)


def _flapping(fingerprints: Sequence[str], work: Work) -> set[str]:
    """Return those that changed too often lately."""
    if not fingerprints:
        return set()
    settings = work.settings.flapping
    since = work.now - timedelta(seconds=settings.within_seconds)
    rows = work.connection.execute(
        sa.select(_table.c.fingerprint)
        .where(bulk.among(_table.c.fingerprint, fingerprints), _table.c.at > since)
        .group_by(_table.c.fingerprint)
        .having(sa.func.count() >= settings.changes)
    )
    return {row.fingerprint for row in rows}
