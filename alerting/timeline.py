"""What happened to an incident, in order: the story people read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import tables
from watchkeeper.clock import format_rfc3339


class Kind(StrEnum):
    """The kinds of entry; other rooms draw and count them by these words."""

    DETECTED = "detected"
    UPDATED = "updated"
    NOTIFIED = "notified"
    NOTIFY_FAILED = "notify-failed"
    ACTION_PROPOSED = "action-proposed"
    ACTION_DENIED = "action-denied"
    ACTION_DISPATCHED = "action-dispatched"
    ACTION_COMPLETED = "action-completed"
    ACTION_FAILED = "action-failed"
    ACTION_UNKNOWN = "action-unknown"
    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    RESOLVED = "resolved"


def add(
    connection: Connection,
    incident_id: str,
    kind: Kind,
    text: str,
    *,
    now: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append one entry; ``text`` is a sentence a person reads, ``detail`` what a program wants."""
    connection.execute(
        sa.insert(tables.timeline).values(
            incident_id=incident_id, at=now, kind=str(kind), text=text, detail=dict(detail or {})
        )
    )


def entries(connection: Connection, incident_id: str) -> list[dict[str, Any]]:
    """Return the entries of an incident, oldest first."""
    table = tables.timeline
    rows = connection.execute(
        sa.select(table.c.at, table.c.kind, table.c.text, table.c.detail)
        .where(table.c.incident_id == incident_id)
        .order_by(table.c.seq)
    )
    return [
        {"at": format_rfc3339(row.at), "kind": row.kind, "text": row.text, "detail": row.detail}
        for row in rows
    ]
