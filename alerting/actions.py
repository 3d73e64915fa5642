"""Remediation actions as rows: planned, claimed under guards, called, followed and verified."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from alerting import tables
from alerting.remediation_rules import RuleSettings
from alerting.templates import fill, fill_parameters
from watchkeeper import bulk
from watchkeeper.clock import format_rfc3339

LEASE_SECONDS = 45.0
"""Longer than a step may take: a call's time limit is at most 20 s, after 5 s of connecting."""

_table = tables.actions


class State(StrEnum):
    """How far an action got."""

    PROPOSED = "proposed"
    """Waits for a person's approval."""
    READY = "ready"
    """Waits for the guards."""
    CLAIMED = "claimed"
    """The guards agreed and the intent is on disk; nothing was sent."""
    DISPATCHED = "dispatched"
    """The call may have left. Never sent again without asking the endpoint first."""
    ASKING = "asking"
    """Whether the call arrived is unknown; the endpoint is being asked."""
    RUNNING = "running"
    VERIFYING = "verifying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNVERIFIED = "unverified"
    UNKNOWN = "unknown"
    DENIED = "denied"
    OBSERVED = "observed"
    """Observe mode: rendered in full, not sent."""


IN_FLIGHT = (State.CLAIMED, State.DISPATCHED, State.ASKING, State.RUNNING, State.VERIFYING)
SPENT = (*IN_FLIGHT, State.SUCCEEDED, State.FAILED, State.UNVERIFIED, State.UNKNOWN)
"""What counts against cooldowns, attempts and budgets."""
WITH_STEPS = (State.READY, *IN_FLIGHT)
OPEN = (State.PROPOSED, *WITH_STEPS)


@dataclass(frozen=True, slots=True)
class Action:
    """One row; the fields are the columns of the table."""

    seq: int
    idempotency_key: str
    incident_id: str
    rule: str
    action: str
    target: str
    parameters: dict[str, Any]
    endpoint: str
    mode: str
    attempt: int
    state: str
    alert_labels: dict[str, str]
    alert_annotations: dict[str, str]
    alert_started_at: datetime
    body: str | None
    fencing_token: int | None
    created_at: datetime
    claimed_at: datetime | None
    dispatched_at: datetime | None
    expires_at: datetime | None
    completed_at: datetime | None
    finished_at: datetime | None
    next_step_at: datetime | None
    lease_until: datetime | None
    lease_token: int
    denied_by: list[str]
    compensates: str
    """Key of the action that did not help and that this one makes up for; empty for others."""
    pool: str
    progress: dict[str, Any]
    summary: str

    @property
    def described(self) -> str:
        """What it does, in three words."""
        return f"{self.action} {'on' if self.endpoint else 'about'} {self.target}"

    @property
    def detail(self) -> dict[str, Any]:
        """What every timeline and audit entry about it carries."""
        return {
            "rule": self.rule,
            "action": self.action,
            "target": self.target,
            "mode": self.mode,
            "attempt": self.attempt,
            "idempotency_key": self.idempotency_key,
        }


def plan(
    connection: Connection,
    rule: RuleSettings,
    *,
    incident_id: str,
    target: str,
    parameters: Mapping[str, Any],
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    started_at: datetime,
    state: State,
    now: datetime,
) -> Action:
    """Add the next action of a rule on a target in an incident and return it."""
    number = _count(connection, rule.name, target, incident_id) + 1
    connection.execute(
        sa.insert(_table).values(
            idempotency_key=idempotency_key(rule.name, target, incident_id, number),
            incident_id=incident_id,
            rule=rule.name,
            action=rule.action,
            target=target,
            parameters=dict(parameters),
            endpoint=rule.endpoint,
            mode=str(rule.mode),
            attempt=number,
            state=state,
            alert_labels=dict(labels),
            alert_annotations=dict(annotations),
            alert_started_at=started_at,
            created_at=now,
            next_step_at=now,
            denied_by=[],
            progress={},
            pool=rule.pool.name if rule.pool else "",
        )
    )
    return _one(connection, idempotency_key(rule.name, target, incident_id, number))


def plan_compensation(
    connection: Connection, failed: Action, rule: RuleSettings, *, now: datetime
) -> bool:
    """Add the one compensation of an action that did not help; return whether there is one."""
    wanted = rule.compensation
    if wanted is None or failed.compensates:
        return False
    key = idempotency_key(
        f"{rule.name}/compensation", failed.target, failed.incident_id, failed.attempt
    )
    if find(connection, key) is not None:
        return False
    connection.execute(
        sa.insert(_table).values(
            idempotency_key=key,
            incident_id=failed.incident_id,
            rule=rule.name,
            action=wanted.action,
            target=fill(wanted.target, failed.alert_labels) if wanted.target else failed.target,
            parameters=fill_parameters(wanted.parameters, failed.alert_labels),
            endpoint=wanted.endpoint or rule.endpoint,
            mode=failed.mode,
            attempt=failed.attempt,
            state=State.READY,
            alert_labels=failed.alert_labels,
            alert_annotations=failed.alert_annotations,
            alert_started_at=failed.alert_started_at,
            created_at=now,
            next_step_at=now,
            denied_by=[],
            progress={},
            compensates=failed.idempotency_key,
            pool=failed.pool,
        )
    )
    return True


def idempotency_key(rule: str, target: str, incident_id: str, number: int) -> str:
    """Return the key of the ``number``-th action of a rule on a target in an episode."""
    content = "\x1f".join((rule, target, incident_id, str(number)))
    return f"act_{hashlib.sha256(content.encode()).hexdigest()[:32]}"


def _count(connection: Connection, rule: str, target: str, incident_id: str) -> int:
    query = sa.select(sa.func.count()).where(
        _table.c.rule == rule,
        _table.c.target == target,
        _table.c.incident_id == incident_id,
        _table.c.compensates == "",
    )
    return int(connection.execute(query).scalar() or 0)


def _one(connection: Connection, key: str) -> Action:
    row = connection.execute(sa.select(_table).where(_table.c.idempotency_key == key)).one()
    return _read(row)


def _read(row: Row[Any]) -> Action:
    return Action(**row._mapping)  # noqa: SLF001  # SQLAlchemy's documented accessor


def find(connection: Connection, key: str) -> Action | None:
    """Return an action by its key, or None."""
    query = sa.select(_table).where(_table.c.idempotency_key == key)
    row = connection.execute(query).first()
    return _read(row) if row else None


def latest(connection: Connection, *, rule: str, target: str, incident_id: str) -> Action | None:
    """Return the newest action of a rule on a target in an incident, or None."""
    query = (
        sa.select(_table)
        .where(
            _table.c.rule == rule,
            _table.c.target == target,
            _table.c.incident_id == incident_id,
            _table.c.compensates == "",
        )
        .order_by(_table.c.seq.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return _read(row) if row else None


def is_any_due(connection: Connection, *, now: datetime) -> bool:
    """Return whether there is an action whose next step could be taken."""
    return (
        connection.execute(sa.select(_table.c.seq).where(_is_due(now)).limit(1)).first() is not None
    )


def take_due(connection: Connection, *, now: datetime) -> Action | None:
    """Lease the action whose next step is longest due, or return None."""
    row = connection.execute(
        sa.select(_table).where(_is_due(now)).order_by(_table.c.next_step_at, _table.c.seq).limit(1)
    ).first()
    if row is None:
        return None
    connection.execute(
        sa.update(_table)
        .where(_table.c.seq == row.seq)
        .values(lease_token=row.lease_token + 1, lease_until=now + timedelta(seconds=LEASE_SECONDS))
    )
    return _one(connection, row.idempotency_key)


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        _table.c.state.in_(WITH_STEPS),
        _table.c.next_step_at <= now,
        sa.or_(_table.c.lease_until.is_(None), _table.c.lease_until <= now),
    )


def is_held(action: Action, now: datetime, *, needed_seconds: float) -> bool:
    """Return whether the lease lasts for a call of that length, with 5 s to connect before it."""
    ends_at = action.lease_until
    return ends_at is not None and now + timedelta(seconds=needed_seconds + 5) <= ends_at


def settle(
    connection: Connection, action: Action, *, keep_lease: bool = False, **values: Any
) -> bool:
    """Write the outcome of a step; return False when another holder has taken over."""
    if not keep_lease:
        values["lease_until"] = None
    result = connection.execute(
        sa.update(_table)
        .where(_table.c.seq == action.seq, _table.c.lease_token == action.lease_token)
        .values(values)
    )
    return result.rowcount == 1


def release_all(connection: Connection) -> None:
    """Give back every lease; only for a process that knows no other holds one."""
    connection.execute(sa.update(_table).values(lease_until=None))


def next_token(connection: Connection) -> int:
    """Return a number larger than any before: endpoints refuse calls with an older one."""
    table = tables.counters
    value = connection.execute(
        sa.select(table.c.value).where(table.c.name == "fencing_token")
    ).scalar()
    token = int(value or 0) + 1
    if value is None:
        connection.execute(sa.insert(table).values(name="fencing_token", value=token))
    else:
        connection.execute(
            sa.update(table).where(table.c.name == "fencing_token").values(value=token)
        )
    return token


def of_incidents(
    connection: Connection, incident_ids: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Return the actions of incidents as messages show them, oldest first."""
    query = (
        sa.select(_table)
        .where(bulk.among(_table.c.incident_id, incident_ids))
        .order_by(_table.c.seq)
    )
    found: dict[str, list[dict[str, Any]]] = {incident_id: [] for incident_id in incident_ids}
    for row in connection.execute(query):
        found[row.incident_id].append(shown(_read(row)))
    return found


def in_flight(connection: Connection) -> list[dict[str, Any]]:
    """Return the actions that are under way, oldest first."""
    query = sa.select(_table).where(_table.c.state.in_(IN_FLIGHT)).order_by(_table.c.seq)
    return [shown(_read(row)) for row in connection.execute(query)]


def newest(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Return up to ``limit`` actions, newest first."""
    query = sa.select(_table).order_by(_table.c.seq.desc()).limit(limit)
    return [shown(_read(row)) for row in connection.execute(query)]


def shown(action: Action) -> dict[str, Any]:
    """Return an action as the API shows it."""
    times = (
        "created_at",
        "claimed_at",
        "dispatched_at",
        "expires_at",
        "completed_at",
        "finished_at",
    )
    return {
        **action.detail,
        "incident_id": action.incident_id,
        "parameters": action.parameters,
        "endpoint": action.endpoint,
        "state": action.state,
        "summary": action.summary,
        "denied_by": action.denied_by,
        "fencing_token": action.fencing_token,
        "body": action.body,
        **{name: _time(getattr(action, name)) for name in times},
    }


def _time(moment: datetime | None) -> str | None:
    return format_rfc3339(moment) if moment else None
