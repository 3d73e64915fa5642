"""The kill switch: one durable row that stops every remediation action."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import audit, tables

EVERYTHING = "everything"
"""The scope that stops all actions."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Who stopped the actions, when and why."""

    reason: str
    by: str
    since: datetime


def current(connection: Connection) -> Pause | None:
    """Return the pause in force, or None while actions may run."""
    table = tables.switches
    row = connection.execute(
        sa.select(table).where(table.c.scope == EVERYTHING, table.c.paused)
    ).first()
    return Pause(row.reason, row.by, row.at) if row else None


def pause(connection: Connection, *, reason: str, by: str, now: datetime) -> None:
    """Stop all actions; read when an action is claimed and right before it is sent."""
    _set(connection, paused=True, reason=reason, by=by, now=now)


def resume(connection: Connection, *, reason: str, by: str, now: datetime) -> None:
    """Let actions run again."""
    _set(connection, paused=False, reason=reason, by=by, now=now)


def _set(connection: Connection, *, paused: bool, reason: str, by: str, now: datetime) -> None:
    table = tables.switches
    connection.execute(sa.delete(table).where(table.c.scope == EVERYTHING))
    connection.execute(
        sa.insert(table).values(scope=EVERYTHING, paused=paused, reason=reason, by=by, at=now)
    )
    event = "paused" if paused else "resumed"
    audit.append(
        connection, actor=by, event=event, subject=EVERYTHING, now=now, detail={"reason": reason}
    )
