"""The kill switch: durable rows that stop all remediation actions, those of a rule or of a target.

Read in the transaction that claims an action and in the one right before it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from alerting import audit, tables
from watchkeeper.clock import format_rfc3339

_table = tables.switches


class Kind(StrEnum):
    """What a switch stops."""

    EVERYTHING = "everything"
    RULE = "rule"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which actions a switch stops: all, those of the rule, or those on the target of a name."""

    kind: Kind = Kind.EVERYTHING
    name: str = ""

    @property
    def key(self) -> str:
        """What stands for it in the database and in the audit, such as ``rule:restart``."""
        return f"{self.kind}:{self.name}" if self.name else str(self.kind)

    @classmethod
    def of(cls, key: str) -> Scope:
        """Return the scope of a ``key``."""
        kind, _, name = key.partition(":")
        return cls(Kind(kind), name)


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class Pause:
    """Who stopped which actions, when, why, and until when; ``until`` None is until resumed."""

    scope: Scope
    reason: str
    by: str
    since: datetime
    until: datetime | None = None

    @property
    def sentence(self) -> str:
        """What a person is told whose action does not run."""
        kind, name = self.scope.kind, self.scope.name
        what = "all actions are" if kind is Kind.EVERYTHING else f"{kind} {name} is"
        end = f" until {format_rfc3339(self.until)}" if self.until else ""
        return f"{what} paused{end}: {self.reason}"


def in_force(connection: Connection, *, now: datetime) -> list[Pause]:
    """Return the pauses that hold now, that of everything first."""
    rows = connection.execute(sa.select(_table).where(_holds(now)).order_by(_table.c.scope))
    return [_read(row) for row in rows]


def scopes_of(*, rule: str, target: str) -> list[Scope]:
    """Return the scopes an action of ``rule`` on ``target`` is in, the widest first."""
    return [EVERYTHING, Scope(Kind.RULE, rule), Scope(Kind.TARGET, target)]


def stopping(connection: Connection, scopes: Sequence[Scope], *, now: datetime) -> Pause | None:
    """Return the first of ``scopes`` that is paused, or None."""
    keys = [scope.key for scope in scopes]
    query = sa.select(_table).where(_holds(now), _table.c.scope.in_(keys))
    found = {row.scope: row for row in connection.execute(query)}
    return next((_read(found[key]) for key in keys if key in found), None)


def pause(
    connection: Connection,
    *,
    reason: str,
    by: str,
    now: datetime,
    scope: Scope = EVERYTHING,
    until: datetime | None = None,
) -> None:
    """Stop the actions of a scope, in place of what was said of it before."""
    _set(connection, scope, paused=True, reason=reason, by=by, at=now, until=until)
    detail = {"reason": reason, "until": format_rfc3339(until) if until else None}
    audit.append(connection, actor=by, event="paused", subject=scope.key, now=now, detail=detail)


def resume(
    connection: Connection, *, reason: str, by: str, now: datetime, scope: Scope = EVERYTHING
) -> None:
    """Let the actions of a scope run again, where no other pause stops them."""
    _set(connection, scope, paused=False, reason=reason, by=by, at=now, until=None)
    audit.append(
        connection, actor=by, event="resumed", subject=scope.key, now=now, detail={"reason": reason}
    )


def shown(pause_: Pause) -> dict[str, Any]:
    """Return a pause as the API shows it."""
    return {
        "scope": pause_.scope.kind,
        "name": pause_.scope.name,
        "reason": pause_.reason,
        "by": pause_.by,
        "since": format_rfc3339(pause_.since),
        "until": format_rfc3339(pause_.until) if pause_.until else None,
    }


def _holds(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(_table.c.paused, sa.or_(_table.c.until.is_(None), _table.c.until > now))


def _set(connection: Connection, scope: Scope, **values: Any) -> None:
    connection.execute(sa.delete(_table).where(_table.c.scope == scope.key))
    connection.execute(sa.insert(_table).values(scope=scope.key, **values))


def _read(row: Row[Any]) -> Pause:
    return Pause(Scope.of(row.scope), row.reason, row.by, row.at, row.until)
