"""What happened to an incident, in order: the story people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import tables
from watchkeeper import bulk
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
    ACKNOWLEDGED = "acknowledged"
    OWNED = "owned"
    NOTED = "noted"
    SILENCED = "silenced"
    ESCALATED = "escalated"
    NOT_A_PROBLEM = "not-a-problem"


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
    add_all(connection, [Entry(incident_id, kind, text, dict(detail or {}))], now=now)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry to append."""

    incident_id: str
    kind: Kind
    text: str
    detail: Mapping[str, Any] = field(default_factory=dict)


def add_all(connection: Connection, entries: Sequence[Entry], *, now: datetime) -> None:
    """Append several entries, of any incidents, in their order."""
    bulk.write(connection, [appended(entries, now=now)])


def appended(entries: Sequence[Entry], *, now: datetime) -> bulk.Insert:
    """Return the change that appends entries, to be written together with other changes."""
    rows = [
        {
            "incident_id": entry.incident_id,
            "at": now,
            "kind": str(entry.kind),
            "text": entry.text,
            "detail": dict(entry.detail),
        }
        for entry in entries
    ]
    return bulk.Insert(tables.timeline, rows)


def of_incidents(
    connection: Connection, incident_ids: Sequence[str], *, newest: int
) -> dict[str, list[dict[str, Any]]]:
    """Return the ``newest`` entries of each incident, oldest first."""
    table = tables.timeline
    place = sa.func.row_number().over(partition_by=table.c.incident_id, order_by=table.c.seq.desc())
    ranked = (
        sa.select(table, place.label("place"))
        .where(bulk.among(table.c.incident_id, incident_ids))
        .subquery()
    )
    rows = connection.execute(
        sa.select(ranked).where(ranked.c.place <= newest).order_by(ranked.c.seq)
    )
    found: dict[str, list[dict[str, Any]]] = {incident_id: [] for incident_id in incident_ids}
    for row in rows:
        found[row.incident_id].append(
            {"at": format_rfc3339(row.at), "kind": row.kind, "text": row.text, "detail": row.detail}
        )
    return found
