"""The record of every call taken: what came of it, and the newest fencing token of each target.

Taking a call checks its key and token and writes it down in one transaction, so that two copies
of a call that arrive together are still one call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from remediation import returns
from remediation.call import Call
from remediation.refusal import CallRefused, Outcome
from remediation.returns import Return
from watchkeeper.clock import format_rfc3339, parse_rfc3339
from watchkeeper.storage import migrate, reading, writing


class State(StrEnum):
    """Where a call is."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """We ended while it ran, or its answer was lost: whether it was done is not known."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One call and what is known of it. Times are RFC 3339, empty when not yet."""

    idempotency_key: str
    action: str
    target: str
    parameters: dict[str, Any]
    dry_run: bool
    revert: bool
    fencing_token: int
    expires_at: str
    state: State
    accepted_at: str
    finished_at: str
    summary: str
    detail: dict[str, Any]
    error: str
    progress: str
    """The latest sentence of an actuator at work."""

    def has_expired(self, now: datetime) -> bool:
        """Return whether it must not be begun any more."""
        return now >= parse_rfc3339(self.expires_at)


_metadata = sa.MetaData()

_calls = sa.Table(
    "calls",
    _metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("idempotency_key", sa.String, nullable=False, unique=True),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("target", sa.String, nullable=False),
    sa.Column("parameters", sa.JSON, nullable=False),
    sa.Column("dry_run", sa.Boolean, nullable=False),
    sa.Column("fencing_token", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False, index=True),
    sa.Column("accepted_at", sa.String, nullable=False),
    sa.Column("finished_at", sa.String, nullable=False, default=""),
    sa.Column("summary", sa.String, nullable=False, default=""),
    sa.Column("detail", sa.JSON, nullable=False, default=dict),
    sa.Column("error", sa.String, nullable=False, default=""),
    sa.Column("revert", sa.Boolean, nullable=False, default=False),
    sa.Column("progress", sa.String, nullable=False, default=""),
)

_tokens = sa.Table(
    "fencing_tokens",
    _metadata,
    sa.Column("target", sa.String, primary_key=True),
    sa.Column("newest", sa.BigInteger, nullable=False),
)


def _first_schema(connection: Connection) -> None:
    _metadata.create_all(connection)


def _revert_and_progress(connection: Connection) -> None:
    # A new database has them already: the first schema is made from the tables as they are now.
    present = {column["name"] for column in sa.inspect(connection).get_columns("calls")}
    if "progress" not in present:
        connection.execute(sa.text("ALTER TABLE calls ADD revert BOOLEAN NOT NULL DEFAULT FALSE"))
        connection.execute(sa.text("ALTER TABLE calls ADD progress VARCHAR NOT NULL DEFAULT ''"))


def _returns(connection: Connection) -> None:
    returns.metadata.create_all(connection)


MIGRATIONS = (_first_schema, _revert_and_progress, _returns)


class Ledger:
    """Calls by idempotency key, in a database that survives us.

    Raises:
        StorageError: from every method, when the database cannot be used; nothing was kept then.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        migrate(engine, MIGRATIONS)

    def find(self, key: str) -> Entry | None:
        """Return the call of an idempotency key."""
        with reading(self._engine) as connection:
            return _find(connection, key)

    def newest(self, limit: int) -> list[Entry]:
        """Return the calls taken last, newest first."""
        query = sa.select(_calls).order_by(_calls.c.number.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [_entry(row) for row in connection.execute(query)]

    def take(self, call: Call, *, now: datetime) -> tuple[Entry, bool]:
        """Write a call down unless its key is known; return its entry and whether it is new.

        Raises:
            CallRefused: 409 when it has expired or its fencing token is old.
        """
        with writing(self._engine) as connection:
            known = _find(connection, call.idempotency_key)
            if known is not None:
                return known, False
            if now >= call.expires_at:
                raise CallRefused(
                    f"expired at {format_rfc3339(call.expires_at)}",
                    status=409,
                    outcome=Outcome.EXPIRED,
                )
            _require_newest(connection, call)
            return _insert(connection, call, now), True

    def take_own(self, call: Call, *, now: datetime) -> tuple[Entry, bool]:
        """Write down a call of our own making, which no fencing token of a sender rules."""
        with writing(self._engine) as connection:
            known = _find(connection, call.idempotency_key)
            return (known, False) if known else (_insert(connection, call, now), True)

    def progress(self, key: str, sentence: str) -> None:
        """Write down how far a running call is."""
        with writing(self._engine) as connection:
            chosen = _calls.update().where(_calls.c.idempotency_key == key)
            connection.execute(chosen.values(progress=sentence))

    def begin(self, key: str) -> bool:
        """Mark an accepted call as running; return False when it is not waiting any more."""
        with writing(self._engine) as connection:
            changed = connection.execute(
                _calls.update()
                .where(_calls.c.idempotency_key == key, _calls.c.state == State.ACCEPTED)
                .values(state=State.RUNNING)
            )
            return changed.rowcount == 1

    def finish(
        self,
        key: str,
        state: State,
        *,
        now: datetime,
        summary: str = "",
        detail: Mapping[str, Any] | None = None,
        error: str = "",
        put_back: Return | None = None,
    ) -> None:
        """Write down how a call ended, and that the change it ``put_back`` is over, in one."""
        with writing(self._engine) as connection:
            if put_back is not None:
                returns.forget(connection, put_back)
            connection.execute(
                _calls.update()
                .where(_calls.c.idempotency_key == key)
                .values(
                    state=state,
                    finished_at=format_rfc3339(now),
                    summary=summary,
                    detail=dict(detail or {}),
                    error=error,
                )
            )

    def recover(self, *, now: datetime) -> list[Entry]:
        """Mark what was running when we ended as interrupted; return what was still waiting."""
        with writing(self._engine) as connection:
            connection.execute(
                _calls.update()
                .where(_calls.c.state == State.RUNNING)
                .values(
                    state=State.INTERRUPTED,
                    finished_at=format_rfc3339(now),
                    error="the endpoint ended while this ran; whether it was done is not known",
                )
            )
            waiting = sa.select(_calls).where(_calls.c.state == State.ACCEPTED)
            return [_entry(row) for row in connection.execute(waiting.order_by(_calls.c.number))]


def _find(connection: Connection, key: str) -> Entry | None:
    row = connection.execute(sa.select(_calls).where(_calls.c.idempotency_key == key)).first()
    return _entry(row) if row is not None else None


def _insert(connection: Connection, call: Call, now: datetime) -> Entry:
    connection.execute(_calls.insert().values(_new_row(call, now)))
    taken = _find(connection, call.idempotency_key)
    assert taken is not None  # noqa: S101  # narrows the type: inserted just above
    return taken


def _entry(row: Row[Any]) -> Entry:
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's documented way to a mapping
    del values["number"]
    return Entry(**{**values, "state": State(values["state"])})


def _new_row(call: Call, now: datetime) -> dict[str, Any]:
    return {
        "idempotency_key": call.idempotency_key,
        "action": call.action,
        "target": call.target,
        "parameters": call.parameters,
        "dry_run": call.dry_run,
        "revert": call.revert,
        "fencing_token": call.fencing_token,
        "expires_at": format_rfc3339(call.expires_at),
        "state": State.ACCEPTED,
        "accepted_at": format_rfc3339(now),
    }


def _require_newest(connection: Connection, call: Call) -> None:
    """Refuse a token older than the newest seen for the target; a dry run leaves no trace."""
    query = sa.select(_tokens.c.newest).where(_tokens.c.target == call.target)
    newest = connection.execute(query).scalar()
    if newest is not None and call.fencing_token < newest:
        raise CallRefused(
            f"fencing token {call.fencing_token} is older than {newest}, which {call.target} has "
            "already seen: a newer dispatch has overtaken this one",
            status=409,
            outcome=Outcome.FENCED,
        )
    if call.dry_run:
        return
    if newest is None:
        row = {"target": call.target, "newest": call.fencing_token}
        connection.execute(_tokens.insert().values(row))
    else:
        change = _tokens.update().where(_tokens.c.target == call.target)
        connection.execute(change.values(newest=call.fencing_token))
