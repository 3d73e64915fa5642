"""A person's word on a waiting action: single-use, expiring, and in the audit by name."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import actions, audit, tables, timeline
from alerting.actions import Action, State
from alerting.person import proven
from alerting.timeline import Kind
from watchkeeper.clock import format_rfc3339
from watchkeeper.errors import Refused

VALID_SECONDS = 15 * 60.0
"""How long after it was proposed an action may be approved: a fix for then may harm now."""

_table = tables.actions


def approve(connection: Connection, key: str, *, by: str, now: datetime) -> Action:
    """Let a proposed action go on to the guards, which decide as if it had just been planned.

    Raises:
        Refused: it does not wait for approval, or has waited too long.
    """
    action = _waiting(connection, key)
    if now > action.created_at + timedelta(seconds=VALID_SECONDS):
        raise Refused(
            f"proposed at {format_rfc3339(action.created_at)}, more than "
            f"{VALID_SECONDS / 60:g} minutes ago: look again before you act"
        )
    return _decide(connection, action, State.READY, "approved", by, now)


def decline(connection: Connection, key: str, *, by: str, now: datetime) -> Action:
    """End a proposed action; raise Refused when it does not wait for approval."""
    return _decide(connection, _waiting(connection, key), State.DENIED, "declined", by, now)


def _waiting(connection: Connection, key: str) -> Action:
    action = actions.find(connection, key)
    if action is None:
        raise Refused(f"no action {key}")
    if action.state != State.PROPOSED:
        raise Refused(f"action {key} is {action.state}, it does not wait for approval")
    return action


def _decide(
    connection: Connection, action: Action, state: State, word: str, by: str, now: datetime
) -> Action:
    connection.execute(
        sa.update(_table)
        .where(_table.c.seq == action.seq)
        .values(state=state, summary=f"{word} by {by}", next_step_at=now)
    )
    kind = Kind.ACTION_PROPOSED if state is State.READY else Kind.ACTION_DENIED
    text = f"{action.described}: {word} by {by}"
    told = {**action.detail, **proven(by)}
    timeline.add(connection, action.incident_id, kind, text, now=now, detail=told)
    audit.append(
        connection,
        actor=by,
        event=word,
        subject=action.idempotency_key,
        now=now,
        detail=action.detail,
    )
    return action
