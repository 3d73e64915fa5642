"""The record of every decision and deed: append-only, each entry chained to the one before.

A changed, removed or inserted entry breaks the chain from there on. Cutting entries off the end
does not; whoever must prove that keeps the newest hash elsewhere, and asks later whether the chain
still contains it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from alerting import tables
from alerting.person import proven
from watchkeeper.clock import format_rfc3339

GENESIS = "0" * 64
"""Stands before the first entry."""


PRUNED = "pruned"


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where the chain does not hold."""

    seq: int
    reason: str


def append(
    connection: Connection,
    *,
    actor: str,
    event: str,
    subject: str,
    now: datetime,
    detail: Mapping[str, Any] | None = None,
) -> str:
    """Add an entry inside the caller's transaction and return its hash.

    Args:
        actor: who did it: a person's name, or a part of the program such as ``rule:restart-web``.
            What speaks for a ``Person``'s name goes into the detail as ``name_is``.
        event: what was done or decided, a short fixed word.
        subject: what it was done to: an incident, an action's key, a switch.
        detail: anything JSON can hold that a reviewer would ask for.
    """
    newest = connection.execute(
        sa.select(tables.audit.c.seq, tables.audit.c.hash)
        .order_by(tables.audit.c.seq.desc())
        .limit(1)
    ).first()
    entry = {
        "seq": newest.seq + 1 if newest else 1,
        "at": format_rfc3339(now),
        "actor": actor,
        "event": event,
        "subject": subject,
        "detail": _canonical({**(detail or {}), **proven(actor)}),
        "previous_hash": newest.hash if newest else GENESIS,
    }
    entry["hash"] = _hash(entry)
    connection.execute(sa.insert(tables.audit).values(entry))
    return str(entry["hash"])


def prune(connection: Connection, *, before: datetime, now: datetime, limit: int) -> int:
    """Delete up to ``limit`` of the oldest entries from before ``before``; return how many.

    The hash of the last deleted one becomes the anchor that the rest hangs on, and a new entry at
    the head of the chain says so: an anchor nobody wrote down is a break.
    """
    table = tables.audit
    rows = connection.execute(
        sa.select(table.c.seq, table.c.hash)
        .where(table.c.at < format_rfc3339(before))
        .order_by(table.c.seq)
        .limit(limit)
    ).all()
    if not rows:
        return 0
    last = rows[-1]
    connection.execute(sa.insert(tables.audit_anchors).values(seq=last.seq, hash=last.hash))
    append(
        connection, actor="retention", event=PRUNED, subject="audit", now=now,
        detail={"up_to": last.seq, "hash": last.hash},
    )  # fmt: skip
    connection.execute(sa.delete(table).where(table.c.seq <= last.seq))
    return len(rows)


def first_break(connection: Connection) -> Break | None:
    """Walk the whole chain; return where it first fails to hold, or None."""
    previous_hash, expected_seq = GENESIS, 1
    anchor = connection.execute(
        sa.select(tables.audit_anchors).order_by(tables.audit_anchors.c.seq.desc()).limit(1)
    ).first()
    if anchor is not None:
        previous_hash, expected_seq = anchor.hash, anchor.seq + 1
        noted = _canonical({"up_to": anchor.seq, "hash": anchor.hash})
        if not _is_noted(connection, noted):
            return Break(expected_seq, "nobody wrote down that what stood before was deleted")
    for row in connection.execute(sa.select(tables.audit).order_by(tables.audit.c.seq)):
        entry = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's documented accessor
        if entry["seq"] != expected_seq:
            return Break(expected_seq, "this entry is missing")
        if entry["previous_hash"] != previous_hash:
            return Break(entry["seq"], "does not follow the entry before it")
        if _hash(entry) != entry["hash"]:
            return Break(entry["seq"], "was changed after it was written")
        previous_hash, expected_seq = entry["hash"], expected_seq + 1
    return None


def _is_noted(connection: Connection, detail: str) -> bool:
    table = tables.audit
    query = sa.select(table.c.seq).where(table.c.event == PRUNED, table.c.detail == detail)
    return connection.execute(query).first() is not None


def contains(connection: Connection, hash_: str) -> bool:
    """Return whether an entry with this hash is in the chain, or was the last that was pruned."""
    return any(
        connection.execute(sa.select(table.c.seq).where(table.c.hash == hash_)).first() is not None
        for table in (tables.audit, tables.audit_anchors)
    )


def newest(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Return up to ``limit`` entries, newest first."""
    query = sa.select(tables.audit).order_by(tables.audit.c.seq.desc()).limit(limit)
    return [_shown(row) for row in connection.execute(query)]


def _shown(row: Row[Any]) -> dict[str, Any]:
    entry = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's documented accessor
    entry["detail"] = json.loads(entry["detail"])
    return entry


def _hash(entry: Mapping[str, Any]) -> str:
    content = {name: entry[name] for name in entry if name != "hash"}
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
