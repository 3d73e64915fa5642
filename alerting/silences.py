"""Silences: what people asked not to be told of for a while. Durable when the call returns."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from alerting import audit, tables
from alerting.matchers import Matcher, all_match
from watchkeeper.errors import Refused

_table = tables.silences

KEPT_SECONDS = 5 * 86400.0
"""Expired silences stay visible this long, as in Alertmanager (its default retention, 120 h)."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Matchers and a time; alerts that meet all matchers within it are muted."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    updated_at: datetime

    def state(self, now: datetime) -> str:
        """Return pending, active or expired."""
        if now >= self.ends_at:
            return "expired"
        return "active" if now >= self.starts_at else "pending"

    def mutes(self, labels: Mapping[str, str]) -> bool:
        """Return whether an alert with these labels is meant."""
        return all_match(self.matchers, labels)


class UnknownSilence(Refused):
    """A silence was named that does not exist."""


def put(connection: Connection, wanted: Silence, *, now: datetime) -> str:
    """Store a silence and return its id, in Alertmanager's way.

    With the id of one that is not expired and has the same matchers, that one is changed; with
    other matchers it is expired and a new one takes its place. History is not rewritten: the start
    of an active silence stays.

    Raises:
        UnknownSilence: there is none with this id.
        Refused: it ends before it starts or in the past.
    """
    starts_at = max(wanted.starts_at, now)
    if wanted.ends_at <= starts_at:
        raise Refused("a silence must end after it starts and after now")
    old = find(connection, wanted.id) if wanted.id else None
    if wanted.id and old is None:
        raise UnknownSilence(f"no silence {wanted.id}")
    if old and old.state(now) != "expired" and _same(old.matchers, wanted.matchers):
        kept_start = old.starts_at if old.state(now) == "active" else starts_at
        _write(connection, old.id, wanted, kept_start, now, is_new=False)
        return old.id
    if old and old.state(now) != "expired":
        expire(connection, old.id, by=wanted.created_by, now=now)
    silence_id = str(uuid.uuid4())
    _write(connection, silence_id, wanted, starts_at, now, is_new=True)
    return silence_id


def _same(left: Sequence[Matcher], right: Sequence[Matcher]) -> bool:
    return sorted(map(str, left)) == sorted(map(str, right))


def _write(
    connection: Connection,
    silence_id: str,
    wanted: Silence,
    starts_at: datetime,
    now: datetime,
    *,
    is_new: bool,
) -> None:
    values = {
        "matchers": [str(matcher) for matcher in wanted.matchers],
        "starts_at": starts_at,
        "ends_at": wanted.ends_at,
        "created_by": wanted.created_by,
        "comment": wanted.comment,
        "updated_at": now,
    }
    if is_new:
        connection.execute(sa.insert(_table).values(id=silence_id, **values))
    else:
        connection.execute(sa.update(_table).where(_table.c.id == silence_id).values(values))
    audit.append(
        connection,
        actor=wanted.created_by,
        event="silenced",
        subject=silence_id,
        now=now,
        detail={
            "matchers": values["matchers"],
            "ends_at": wanted.ends_at.isoformat(),
            "comment": wanted.comment,
        },
    )


def expire(connection: Connection, silence_id: str, *, by: str, now: datetime) -> bool:
    """End a silence now; return False for one that is unknown or over already."""
    silence = find(connection, silence_id)
    if silence is None or silence.state(now) == "expired":
        return False
    starts_at = min(silence.starts_at, now)
    connection.execute(
        sa.update(_table)
        .where(_table.c.id == silence_id)
        .values(starts_at=starts_at, ends_at=now, updated_at=now)
    )
    audit.append(connection, actor=by, event="unsilenced", subject=silence_id, now=now)
    return True


def find(connection: Connection, silence_id: str) -> Silence | None:
    """Return a silence by its id, or None."""
    row = connection.execute(sa.select(_table).where(_table.c.id == silence_id)).first()
    return _read(row) if row else None


def active(connection: Connection, *, now: datetime) -> list[Silence]:
    """Return the silences in force."""
    rows = connection.execute(
        sa.select(_table).where(_table.c.starts_at <= now, _table.c.ends_at > now)
    )
    return [_read(row) for row in rows]


def every(connection: Connection) -> list[Silence]:
    """Return all silences that are kept, the one that ends last first."""
    rows = connection.execute(sa.select(_table).order_by(_table.c.ends_at.desc()))
    return [_read(row) for row in rows]


def _read(row: Row[tuple[object, ...]]) -> Silence:
    return Silence(
        id=row.id,
        matchers=tuple(Matcher.parse(text) for text in row.matchers),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        created_by=row.created_by,
        comment=row.comment,
        updated_at=row.updated_at,
    )
