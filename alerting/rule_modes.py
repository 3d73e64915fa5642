"""A rule's mode, switched by a person while the service runs: durable, and in the audit by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import audit, kill_switch, tables
from alerting.kill_switch import Kind, Scope
from alerting.remediation_rules import Mode, RemediationSettings, RuleSettings
from watchkeeper.clock import format_rfc3339
from watchkeeper.errors import Refused

_table = tables.rule_modes


class UnknownRule(Refused):
    """A rule was named that does not exist."""


@dataclass(frozen=True, slots=True)
class Switched:
    """What a person set a rule to, and what the file said then."""

    mode: Mode
    configured_mode: Mode
    by: str
    reason: str
    at: datetime


def switch(
    connection: Connection,
    configured: RemediationSettings,
    name: str,
    *,
    mode: Mode,
    by: str,
    reason: str,
    now: datetime,
) -> None:
    """Set a rule's mode from now on, until its mode in the file is edited: the newest word holds.

    Raises:
        UnknownRule: there is none of this name.
        Refused: the mode would let it act, and nothing says how to verify that.
    """
    rule = configured.rule(name)
    if rule is None:
        raise UnknownRule(f"no rule {name}")
    if mode in (Mode.APPROVE, Mode.AUTO) and not rule.may_act:
        raise Refused(f"mode {mode} needs a verification: an unchecked action is a guess")
    before = _effective(rule, every(connection)).mode
    connection.execute(sa.delete(_table).where(_table.c.rule == name))
    connection.execute(
        sa.insert(_table).values(
            rule=name, mode=mode, configured_mode=rule.mode, reason=reason, by=by, at=now
        )
    )
    audit.append(
        connection,
        actor=by,
        event="mode",
        subject=f"rule:{name}",
        now=now,
        detail={"from": before, "to": mode, "reason": reason},
    )


def every(connection: Connection) -> dict[str, Switched]:
    """Return what people have set, by rule."""
    return {
        row.rule: Switched(Mode(row.mode), Mode(row.configured_mode), row.by, row.reason, row.at)
        for row in connection.execute(sa.select(_table))
    }


def in_force(connection: Connection, configured: RemediationSettings) -> RemediationSettings:
    """Return the rules with the modes that hold now."""
    if not configured.rules:
        return configured
    switched = every(connection)
    if not switched:
        return configured
    rules = tuple(_effective(rule, switched) for rule in configured.rules)
    return configured.model_copy(update={"rules": rules})


def _effective(rule: RuleSettings, switched: Mapping[str, Switched]) -> RuleSettings:
    found = switched.get(rule.name)
    if found is None or found.configured_mode is not rule.mode:
        return rule
    if found.mode in (Mode.APPROVE, Mode.AUTO) and not rule.may_act:
        return rule  # it was taken out of the file since
    return rule.model_copy(update={"mode": found.mode})


def listed(
    connection: Connection, configured: RemediationSettings, *, now: datetime
) -> list[dict[str, Any]]:
    """Return every rule as the API shows it, in the order of the file."""
    switched = every(connection)
    pauses = {
        one.scope: kill_switch.shown(one) for one in kill_switch.in_force(connection, now=now)
    }
    return [
        {
            **_shown(rule, _effective(rule, switched), switched.get(rule.name)),
            "pause": pauses.get(Scope(Kind.RULE, rule.name)),
        }
        for rule in configured.rules
    ]


def _shown(
    rule: RuleSettings, effective: RuleSettings, switched: Switched | None
) -> dict[str, Any]:
    is_switched = switched is not None and switched.configured_mode is rule.mode
    return {
        "name": rule.name,
        "mode": effective.mode,
        "configured_mode": rule.mode,
        "match": [str(matcher) for matcher in rule.match],
        "action": rule.action,
        "target": rule.target,
        "parameters": rule.parameters,
        "endpoint": rule.endpoint,
        "tell": list(rule.tell),
        "cooldown_seconds": rule.cooldown_seconds,
        "attempts": rule.attempts,
        "budget": {"actions": rule.budget.actions, "window_seconds": rule.budget.window_seconds},
        "is_verified": rule.verification is not None,
        "switched_by": switched.by if switched and is_switched else None,
        "switched_at": format_rfc3339(switched.at) if switched and is_switched else None,
        "reason": switched.reason if switched and is_switched else None,
    }
