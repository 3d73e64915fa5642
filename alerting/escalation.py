"""Calls the next person when nobody has taken an incident in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import incidents, tables, timeline
from alerting.pipeline import Event, Occurrence, Work
from alerting.settings import EscalationSettings
from alerting.stages.notify import muted_incidents, tell
from alerting.stages.route import receivers_of
from alerting.timeline import Kind

AT_ONCE = 100
_table = tables.incidents


def due(
    levels: Sequence[EscalationSettings], *, severity: str, opened_at: datetime, now: datetime
) -> int:
    """Return how many levels of escalation an untaken incident has reached by ``now``."""
    age = now - opened_at
    return sum(
        severity in level.severities and age >= timedelta(seconds=level.after_seconds)
        for level in levels
    )


def escalate(work: Work) -> int:
    """Tell the next level of every incident that waits for a person; return how many there were."""
    levels = work.settings.escalation
    if not levels:
        return 0
    waiting = _waiting(work.connection)
    silent = muted_incidents(work.connection, [row.id for row in waiting])
    reached = {
        row.id: due(levels, severity=row.severity, opened_at=row.opened_at, now=work.now)
        for row in waiting
        if row.id not in silent
    }
    behind = [row for row in waiting if reached.get(row.id, 0) > row.escalation_level][:AT_ONCE]
    for row in behind:
        applying = [level for level in levels if row.severity in level.severities]
        fresh = applying[row.escalation_level : reached[row.id]]
        names = list(dict.fromkeys(name for level in fresh for name in level.receivers))
        _climb(row.id, reached[row.id], names, fresh[-1].after_seconds, work)
    return len(behind)


def _climb(
    incident_id: str, level: int, names: list[str], after_seconds: float, work: Work
) -> None:
    """Note the level and tell its receivers, who hear everything that follows."""
    so_far = receivers_of(work.connection, [incident_id])[incident_id]
    work.connection.execute(
        sa.update(_table)
        .where(_table.c.id == incident_id)
        .values(escalation_level=level, receivers=list(dict.fromkeys([*so_far, *names])))
    )
    timeline.add(
        work.connection,
        incident_id,
        Kind.ESCALATED,
        f"nobody took it within {after_seconds / 60:g} min: calling {', '.join(names)}",
        now=work.now,
        detail={"level": level, "receivers": names},
    )
    tell([Occurrence(incident_id, Event.ESCALATED, receivers=tuple(names))], work)


def _waiting(connection: Connection) -> Sequence[Any]:
    """Return open incidents nobody has taken, with when their story began."""
    story = tables.timeline
    opened_at = (
        sa.select(sa.func.min(story.c.at, type_=tables.Moment()))
        .where(story.c.incident_id == _table.c.id)
        .scalar_subquery()
    )
    return connection.execute(
        sa.select(
            _table.c.id, _table.c.severity, _table.c.escalation_level, opened_at.label("opened_at")
        )
        .where(_table.c.status == incidents.OPEN, _table.c.acknowledged_at.is_(None))
        .order_by(_table.c.seq)
    ).all()
