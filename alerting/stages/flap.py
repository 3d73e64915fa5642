"""Damps alerts that come and go: their end is believed only when they stay away."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import tables
from alerting.alert import Alert
from alerting.pipeline import Batch, Work
from alerting.settings import FlappingSettings

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
        return replace(batch, alerts=[_damped(alert, work) for alert in batch.alerts])


def _damped(alert: Alert, work: Work) -> Alert:
    settings = work.settings.flapping
    is_firing = alert.is_firing(work.now)
    was_firing = _last_said(work.connection, alert.fingerprint)
    if was_firing != is_firing and (is_firing or was_firing):
        work.connection.execute(
            sa.insert(_table).values(
                fingerprint=alert.fingerprint, at=work.now, is_firing=is_firing
            )
        )
    if is_firing or not _is_flapping(alert.fingerprint, settings, work):
        return alert
    ends_at = work.now + timedelta(seconds=settings.within_seconds)
    return Alert(alert.labels, alert.annotations, alert.starts_at, ends_at, alert.generator_url)


def _last_said(connection: Connection, fingerprint: str) -> bool | None:
    query = (
        sa.select(_table.c.is_firing)
        .where(_table.c.fingerprint == fingerprint)
        .order_by(_table.c.seq.desc())
        .limit(1)
    )
    found: bool | None = connection.execute(query).scalar()
    return found


def _is_flapping(fingerprint: str, settings: FlappingSettings, work: Work) -> bool:
    since = work.now - timedelta(seconds=settings.within_seconds)
    query = sa.select(sa.func.count()).where(
        _table.c.fingerprint == fingerprint, _table.c.at > since
    )
    return int(work.connection.execute(query).scalar() or 0) >= settings.changes


def forget_old(connection: Connection, *, before: datetime) -> None:
    """Delete changes older than ``before`` that are not the newest of their alert."""
    newest = sa.select(sa.func.max(_table.c.seq)).group_by(_table.c.fingerprint)
    connection.execute(sa.delete(_table).where(_table.c.at < before, _table.c.seq.not_in(newest)))
