"""What was changed for a time and will be put back, in a database that survives us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from watchkeeper.clock import format_rfc3339
from watchkeeper.storage import reading, writing

RETRY_AFTER = timedelta(seconds=60)
"""A server that could not be reached gets a minute; the change is only a nuisance until then."""


@dataclass(frozen=True, slots=True)
class Return:
    """One change and how to undo it.

    Attributes:
        made_by: the idempotency key of the call that made or last prolonged it.
        fencing_token: of that call.
        due_at: RFC 3339.
        attempts: begun so far at putting it back.
    """

    action: str
    target: str
    parameters: dict[str, Any]
    state: dict[str, Any]
    made_by: str
    fencing_token: int
    due_at: str
    attempts: int = 0


metadata = sa.MetaData()

_returns = sa.Table(
    "returns",
    metadata,
    sa.Column("action", sa.String, primary_key=True),
    sa.Column("target", sa.String, primary_key=True),
    sa.Column("parameters", sa.JSON, nullable=False),
    sa.Column("state", sa.JSON, nullable=False),
    sa.Column("made_by", sa.String, nullable=False),
    sa.Column("fencing_token", sa.BigInteger, nullable=False),
    sa.Column("due_at", sa.String, nullable=False, index=True),
    sa.Column("attempts", sa.Integer, nullable=False),
)


class Returns:
    """At most one change for each action and target.

    Args:
        engine: a database the ledger has brought to its present form.

    Raises:
        StorageError: from every method, when the database cannot be used.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, planned: Return) -> None:
        """Write down a change before it is made, in place of an earlier one not yet put back."""
        with writing(self._engine) as connection:
            connection.execute(_returns.delete().where(*_same(planned.action, planned.target)))
            connection.execute(_returns.insert().values(asdict(planned)))

    def find(self, action: str, target: str) -> Return | None:
        """Return what is to be put back for an action on a target."""
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(_returns).where(*_same(action, target))).first()
        return _return(row._mapping) if row is not None else None  # noqa: SLF001  # SQLAlchemy's documented way

    def pending(self, *, due_by: datetime | None = None) -> list[Return]:
        """Return what is to be put back, the earliest first; with ``due_by``, up to then."""
        query = sa.select(_returns).order_by(_returns.c.due_at)
        if due_by is not None:
            query = query.where(_returns.c.due_at <= format_rfc3339(due_by))
        with reading(self._engine) as connection:
            return [_return(row) for row in connection.execute(query).mappings()]

    def attempted(self, begun: Return, *, now: datetime) -> None:
        """Note that an attempt was begun; if it does not succeed, the next one comes later."""
        with writing(self._engine) as connection:
            connection.execute(
                _returns.update()
                .where(*_same(begun.action, begun.target), _returns.c.made_by == begun.made_by)
                .values(attempts=begun.attempts + 1, due_at=format_rfc3339(now + RETRY_AFTER))
            )


def forget(connection: Connection, ended: Return) -> None:
    """Forget a change that was put back, unless it was prolonged meanwhile.

    Args:
        connection: of the transaction that records how the call which put it back ended, so that
            no moment and no crash shows the one without the other.
    """
    same = _same(ended.action, ended.target)
    connection.execute(_returns.delete().where(*same, _returns.c.made_by == ended.made_by))


def _same(action: str, target: str) -> tuple[sa.ColumnElement[bool], ...]:
    return _returns.c.action == action, _returns.c.target == target


def _return(row: Mapping[Any, Any]) -> Return:
    return Return(**dict(row))
