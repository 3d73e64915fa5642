"""The outbox: deliveries are written with the transition they tell of and made afterwards.

A worker claims a row under a lease with a fencing token; only the holder of the newest token may
settle it. Within (receiver, key) a row is claimable only when all earlier ones are settled, so a
resolve can never overtake its trigger.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from alerting import tables
from alerting.notifiers.notifier import Message
from watchkeeper import bulk
from watchkeeper.clock import format_rfc3339

ATTEMPT_SECONDS = 20.0
"""The most one attempt takes: 5 s to connect and 15 s to answer."""

LEASE_SECONDS = 75.0
"""Longer than three attempts in a row may take (each 5 s to connect and 15 s to answer)."""

MAX_REPLAYED = 1000
"""Dead letters replayed by one call; a client calls again until none is left."""

_table = tables.deliveries


class State(StrEnum):
    """How far a delivery got."""

    PENDING = "pending"
    CLAIMED = "claimed"
    DELIVERED = "delivered"
    DEAD = "dead"
    SUPERSEDED = "superseded"
    """A newer, fuller message took its place before it was tried."""


UNSETTLED = (State.PENDING, State.CLAIMED)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to make one attempt at one delivery."""

    message: Message
    receiver: str
    key: str
    attempt: int
    token: int
    lease_until: datetime

    def is_held(self, now: datetime) -> bool:
        """Return whether there is time for the attempt before somebody else may make it.

        Asked right before sending: a process may have been stopped since it took the lease.
        """
        return now + timedelta(seconds=ATTEMPT_SECONDS) <= self.lease_until


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of an attempt.

    Attributes:
        next_attempt_at: when it is tried again, for one that is to wait.
        error: why it failed; None for one that did not.
        receipt: what the receiver gave back.
    """

    claim: Claim
    state: State
    next_attempt_at: datetime | None = None
    error: str | None = None
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message to be written into the outbox.

    Attributes:
        key: the incident's id; what has the same key is told in order.
        incident: the incident as it is now; empty for what is composed when it is sent.
    """

    receiver: str
    key: str
    event: str
    incident: Mapping[str, Any]
    not_before: datetime


def put(connection: Connection, envelopes: Sequence[Envelope], *, now: datetime) -> None:
    """Add deliveries inside the caller's transaction, to be made in their order."""
    rows = [
        {
            "id": f"msg_{uuid.uuid4().hex}",
            "receiver": envelope.receiver,
            "key": envelope.key,
            "event": envelope.event,
            "incident_id": envelope.key,
            "message": dict(envelope.incident),
            "state": State.PENDING,
            "created_at": now,
            "next_attempt_at": envelope.not_before,
        }
        for envelope in envelopes
    ]
    bulk.insert_all(connection, _table, rows)


def supersede(connection: Connection, *, keys: Sequence[str], event: str) -> None:
    """Drop untried deliveries of ``event`` for ``keys`` that newer messages contain."""
    if keys:
        connection.execute(
            sa.update(_table)
            .where(
                bulk.among(_table.c.key, keys),
                _table.c.event == event,
                _table.c.state == State.PENDING,
                _table.c.attempts == 0,
            )
            .values(state=State.SUPERSEDED, message={})
        )


def withdraw(
    connection: Connection, *, keys: Sequence[str], event: str, now: datetime
) -> set[tuple[str, str]]:
    """Drop deliveries of ``event`` for ``keys`` that are not due yet; return receivers and keys."""
    if not keys:
        return set()
    rows = connection.execute(
        sa.update(_table)
        .where(bulk.among(_table.c.key, keys), _table.c.event == event, *_not_due(now))
        .values(state=State.SUPERSEDED, message={})
        .returning(_table.c.receiver, _table.c.key)
    )
    return {(row.receiver, row.key) for row in rows}


def not_due(
    connection: Connection, *, keys: Sequence[str], event: str, now: datetime
) -> set[tuple[str, str]]:
    """Return by receiver and key which deliveries of ``event`` wait for their first time."""
    rows = connection.execute(
        sa.select(_table.c.receiver, _table.c.key).where(
            bulk.among(_table.c.key, keys), _table.c.event == event, *_not_due(now)
        )
    )
    return {(row.receiver, row.key) for row in rows}


def is_untried(key: sa.ColumnElement[str], *, event: str) -> sa.ColumnElement[bool]:
    """Return the condition that a delivery of ``event`` for a key waits and nobody tried it yet."""
    return sa.exists().where(
        _table.c.key == key,
        _table.c.event == event,
        _table.c.state == State.PENDING,
        _table.c.attempts == 0,
    )


def _not_due(now: datetime) -> list[sa.ColumnElement[bool]]:
    return [
        _table.c.state == State.PENDING,
        _table.c.attempts == 0,
        _table.c.next_attempt_at > now,
    ]


def postpone(connection: Connection, claims: Sequence[Claim], *, until: datetime) -> None:
    """Give back claims just taken, as if they had not been; they are due again at ``until``."""
    rows = [
        {
            "id": claim_.message.delivery_id,
            "state": State.PENDING,
            "attempts": claim_.attempt - 1,
            "lease_until": None,
            "next_attempt_at": until,
        }
        for claim_ in claims
    ]
    bulk.update_all(connection, _table, rows, by=["id"])


def waiting(connection: Connection, *, keys: Sequence[str], event: str) -> set[tuple[str, str]]:
    """Return by receiver and key which deliveries of ``event`` nobody has tried yet."""
    rows = connection.execute(
        sa.select(_table.c.receiver, _table.c.key).where(
            bulk.among(_table.c.key, keys),
            _table.c.event == event,
            _table.c.state == State.PENDING,
            _table.c.attempts == 0,
        )
    )
    return {(row.receiver, row.key) for row in rows}


def newest_at(connection: Connection, *, keys: Sequence[str]) -> dict[tuple[str, str], datetime]:
    """Return by receiver and key when the newest delivery that counts is or was due."""
    rows = connection.execute(
        sa.select(
            _table.c.receiver, _table.c.key, sa.func.max(_table.c.next_attempt_at).label("at")
        )
        .where(bulk.among(_table.c.key, keys), _table.c.state != State.SUPERSEDED)
        .group_by(_table.c.receiver, _table.c.key)
    )
    return {(row.receiver, row.key): row.at for row in rows}


def is_any_due(connection: Connection, receiver: str, *, now: datetime) -> bool:
    """Return whether there is a delivery of a receiver that could be claimed."""
    query = sa.select(_table.c.seq).where(*_claimable(receiver, now)).limit(1)
    return connection.execute(query).first() is not None


def claim(connection: Connection, receiver: str, *, now: datetime, limit: int = 1) -> list[Claim]:
    """Take up to ``limit`` due deliveries of a receiver, of different keys, the oldest first."""
    rows = connection.execute(
        sa.select(_table)
        .where(*_claimable(receiver, now))
        .order_by(_table.c.next_attempt_at, _table.c.seq)
        .limit(limit)
    ).all()
    threads = _threads(connection, receiver, [row.key for row in rows if row.event != "opened"])
    lease_until = now + timedelta(seconds=LEASE_SECONDS)
    leases = [
        {
            "seq": row.seq,
            "state": State.CLAIMED,
            "attempts": row.attempts + 1,
            "fencing_token": row.fencing_token + 1,
            "lease_until": lease_until,
        }
        for row in rows
    ]
    bulk.update_all(connection, _table, leases, by=["seq"])
    return [_claimed(row, threads.get(row.key, ""), lease_until) for row in rows]


def _claimable(receiver: str, now: datetime) -> list[sa.ColumnElement[bool]]:
    earlier = _table.alias("earlier")
    blocked = sa.exists().where(
        earlier.c.receiver == _table.c.receiver,
        earlier.c.key == _table.c.key,
        earlier.c.seq < _table.c.seq,
        earlier.c.state.in_(UNSETTLED),
    )
    abandoned = sa.and_(_table.c.state == State.CLAIMED, _table.c.lease_until <= now)
    waiting = sa.and_(_table.c.state == State.PENDING, _table.c.next_attempt_at <= now)
    return [_table.c.receiver == receiver, sa.or_(waiting, abandoned), ~blocked]


def _claimed(row: Row[Any], thread: str, lease_until: datetime) -> Claim:
    message = Message(row.id, row.event, row.message, row.created_at, thread)
    return Claim(
        message, row.receiver, row.key, row.attempts + 1, row.fencing_token + 1, lease_until
    )


def _threads(connection: Connection, receiver: str, keys: Sequence[str]) -> dict[str, str]:
    """Return what the receiver gave back last for a message of each key, where it did."""
    if not keys:
        return {}
    rows = connection.execute(
        sa.select(_table.c.key, _table.c.receipt)
        .where(
            _table.c.receiver == receiver, bulk.among(_table.c.key, keys), _table.c.receipt != ""
        )
        .order_by(_table.c.seq)
    )
    return {row.key: row.receipt for row in rows}


def count_due(connection: Connection, receiver: str, *, now: datetime, limit: int) -> int:
    """Return how many deliveries of a receiver are due, counting no further than ``limit``."""
    due = (
        sa.select(_table.c.seq)
        .where(
            _table.c.receiver == receiver,
            _table.c.state == State.PENDING,
            _table.c.next_attempt_at <= now,
        )
        .limit(limit)
        .subquery()
    )
    return int(connection.execute(sa.select(sa.func.count()).select_from(due)).scalar() or 0)


def settle(connection: Connection, settlements: Sequence[Settlement], *, now: datetime) -> set[str]:
    """Record what became of attempts, each of another delivery.

    Returns:
        The ids of the deliveries whose claim was still held; of the others, somebody else may have
        taken the next attempt, and nothing is changed.
    """
    held = _held(connection, [one.claim for one in settlements])
    kept = [one for one in settlements if one.claim.message.delivery_id in held]
    for state in State:  # those of one state have the same columns to change
        rows = [_settled(one, now) for one in kept if one.state is state]
        bulk.update_all(connection, _table, rows, by=["id"])
    return held


def _held(connection: Connection, claims: Sequence[Claim]) -> set[str]:
    tokens = {claim_.message.delivery_id: claim_.token for claim_ in claims}
    rows = connection.execute(
        sa.select(_table.c.id, _table.c.fencing_token).where(
            bulk.among(_table.c.id, tokens), _table.c.state == State.CLAIMED
        )
    )
    return {row.id for row in rows if row.fencing_token == tokens[row.id]}


def _settled(settlement: Settlement, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": settlement.claim.message.delivery_id,
        "state": settlement.state,
        "lease_until": None,
        "error": settlement.error,
    }
    if settlement.state is State.DELIVERED:
        values |= {"delivered_at": now, "receipt": settlement.receipt}
    if settlement.state is State.PENDING:
        values["next_attempt_at"] = settlement.next_attempt_at or now
    return values


def replay(connection: Connection, delivery_id: str, *, now: datetime) -> bool:
    """Give a dead letter another life under its old id; return False for any other delivery."""
    result = connection.execute(
        sa.update(_table)
        .where(_table.c.id == delivery_id, _table.c.state == State.DEAD)
        .values(state=State.PENDING, attempts=0, created_at=now, next_attempt_at=now, error=None)
    )
    return result.rowcount == 1


def replay_many(
    connection: Connection,
    *,
    receiver: str,
    since: datetime | None,
    until: datetime | None,
    now: datetime,
) -> list[str]:
    """Replay the dead letters of ``receiver`` (empty: of all) made in a range; return their ids."""
    query = sa.select(_table.c.id).where(_table.c.state == State.DEAD).order_by(_table.c.seq)
    if receiver:
        query = query.where(_table.c.receiver == receiver)
    if since is not None:
        query = query.where(_table.c.created_at >= since)
    if until is not None:
        query = query.where(_table.c.created_at < until)
    ids = [str(row.id) for row in connection.execute(query.limit(MAX_REPLAYED))]
    for delivery_id in ids:
        replay(connection, delivery_id, now=now)
    return ids


def release_all(connection: Connection) -> int:
    """Give back every claim; only for a process that knows no other holds one."""
    result = connection.execute(
        sa.update(_table)
        .where(_table.c.state == State.CLAIMED)
        .values(state=State.PENDING, lease_until=None)
    )
    return result.rowcount


def newest(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Return up to ``limit`` deliveries as the API shows them, newest first."""
    query = sa.select(_table).order_by(_table.c.seq.desc()).limit(limit)
    return [_shown(row) for row in connection.execute(query)]


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "receiver": row.receiver,
        "event": row.event,
        "incident_id": row.incident_id,
        "state": row.state,
        "attempts": row.attempts,
        "created_at": format_rfc3339(row.created_at),
        "delivered_at": format_rfc3339(row.delivered_at) if row.delivered_at else None,
        "next_attempt_at": format_rfc3339(row.next_attempt_at),
        "error": row.error,
    }
