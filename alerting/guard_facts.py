"""Reads what the guards need to know, inside the transaction that claims the action."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import actions, kill_switch, tables
from alerting.actions import Action
from alerting.circumstances import Circumstances
from alerting.decision import Facts
from alerting.kill_switch import Kind, Scope
from alerting.matchers import all_match
from alerting.remediation_rules import Mode, RemediationSettings, RuleSettings
from alerting.rule_limits import BudgetSettings
from alerting.templates import ABOUT_THE_ALERT, LabelMissing, fill

_table = tables.actions


def gather(
    connection: Connection,
    action: Action,
    rule: RuleSettings,
    settings: RemediationSettings,
    circumstances: Circumstances,
    *,
    now: datetime,
) -> Facts:
    """Return the facts about ``action`` as they stand in this transaction."""
    pause = kill_switch.stopping(connection, _scopes(action, rule), now=now)
    endpoint = settings.endpoints.get(action.endpoint)
    return Facts(
        paused_because=pause.sentence if pause else None,
        is_needed=is_needed(connection, action, rule),
        is_muted=_is_muted(connection, action, rule),
        can_sign=endpoint is not None and bool(endpoint.signing_secret),
        busy_with=_busy_with(connection, action),
        last_on_target_at=_last_on_target_at(connection, action, rule, now),
        attempts_made=_attempts_made(connection, action, rule),
        rule_runs=_runs(connection, action, rule, rule.budget, now, _table.c.rule == rule.name),
        all_runs=_runs(connection, action, rule, settings.budget, now),
        target_runs=_runs(
            connection, action, rule, rule.target_budget, now, _table.c.target == action.target
        ),
        unmet=circumstances.unmet,
        pool_size=circumstances.pool_size,
        pool_touched=_pool_touched(connection, action, rule, now),
        is_compensation=bool(action.compensates),
        clock_jumped_at=circumstances.clock_jumped_at,
    )


def _scopes(action: Action, rule: RuleSettings) -> list[Scope]:
    """Return what may stop an action; a message only what stops its own rule: people must hear."""
    if rule.informs:
        return [Scope(Kind.RULE, rule.name)]
    return kill_switch.scopes_of(rule=rule.name, target=action.target)


def is_needed(connection: Connection, action: Action, rule: RuleSettings) -> bool:
    """Return whether an alert that asks for this very action is still firing."""
    return bool(_mutes_of_askers(connection, action, rule))


def _is_muted(connection: Connection, action: Action, rule: RuleSettings) -> bool:
    return all(_mutes_of_askers(connection, action, rule))


def _mutes_of_askers(
    connection: Connection, action: Action, rule: RuleSettings
) -> list[dict[str, list[str]]]:
    """Return, for each firing alert that asks for this very action, what mutes it."""
    members, alerts = tables.incident_alerts, tables.alerts
    rows = connection.execute(
        sa.select(members.c.labels, alerts.c.muted_by)
        .join(alerts, alerts.c.fingerprint == members.c.fingerprint)
        .where(members.c.incident_id == action.incident_id, members.c.status == "firing")
    )
    return [
        row.muted_by or {}
        for row in rows
        if all_match(rule.match, row.labels) and _target(rule, row.labels) == action.target
    ]


def _target(rule: RuleSettings, labels: dict[str, str]) -> str | None:
    try:
        return fill(rule.target or ABOUT_THE_ALERT, labels)
    except LabelMissing:
        return None


def _spent(rule: RuleSettings) -> sa.ColumnElement[bool]:
    """Return the condition for actions that count for a rule's limits.

    A rehearsal counts only for rehearsals. A message counts for its own rule and for no other:
    one that was told is not one that was acted on.
    """
    states = [*actions.SPENT]
    if rule.mode is Mode.OBSERVE:
        states.append(actions.State.OBSERVED)
    of_its_kind = _table.c.rule == rule.name if rule.informs else _table.c.endpoint != ""
    return sa.and_(_table.c.state.in_(states), of_its_kind)


def _busy_with(connection: Connection, action: Action) -> str | None:
    query = sa.select(_table.c.idempotency_key).where(
        _table.c.target == action.target,
        _table.c.state.in_(actions.IN_FLIGHT),
        _table.c.seq != action.seq,
    )
    found: str | None = connection.execute(query.limit(1)).scalar()
    return found


def _believed(moment: datetime, action: Action, now: datetime) -> datetime:
    """Return when something was done, by today's clock.

    What lies in the future was written before the clock was set back. It was over before this
    action was planned: later than it really was, so nothing ends early, and nothing lasts for days.
    """
    return min(moment, action.created_at) if moment > now else moment


def _last_on_target_at(
    connection: Connection, action: Action, rule: RuleSettings, now: datetime
) -> datetime | None:
    acted_at = sa.func.coalesce(
        _table.c.completed_at, _table.c.dispatched_at, _table.c.claimed_at, type_=tables.Moment()
    )
    query = sa.select(sa.func.max(acted_at)).where(
        _table.c.target == action.target, _spent(rule), _table.c.seq != action.seq
    )
    found: datetime | None = connection.execute(query).scalar()
    return _believed(found, action, now) if found else None


def _attempts_made(connection: Connection, action: Action, rule: RuleSettings) -> int:
    query = sa.select(sa.func.count()).where(
        _table.c.rule == rule.name,
        _table.c.target == action.target,
        _table.c.incident_id == action.incident_id,
        _spent(rule),
        _table.c.seq != action.seq,
    )
    return int(connection.execute(query).scalar() or 0)


def _runs(
    connection: Connection,
    action: Action,
    rule: RuleSettings,
    budget: BudgetSettings,
    now: datetime,
    *of: sa.ColumnElement[bool],
) -> tuple[datetime, ...]:
    """Return when actions that count were claimed within a budget's window."""
    since = now - timedelta(seconds=budget.window_seconds)
    query = sa.select(_table.c.claimed_at).where(_spent(rule), _table.c.claimed_at > since, *of)
    return tuple(_believed(row.claimed_at, action, now) for row in connection.execute(query))


def budgets_left(
    connection: Connection, settings: RemediationSettings, *, now: datetime
) -> dict[str, int]:
    """Return how many actions the budget of each rule allows now, by the rule's name."""
    return {rule.name: _budget_left(connection, rule, now) for rule in settings.rules}


def _budget_left(connection: Connection, rule: RuleSettings, now: datetime) -> int:
    since = now - timedelta(seconds=rule.budget.window_seconds)
    query = sa.select(sa.func.count()).where(
        _spent(rule), _table.c.rule == rule.name, _table.c.claimed_at > since
    )
    return max(rule.budget.actions - int(connection.execute(query).scalar() or 0), 0)


def _pool_touched(connection: Connection, action: Action, rule: RuleSettings, now: datetime) -> int:
    """Return how many other targets of the action's pool are acted on, or were so lately."""
    if rule.pool is None:
        return 0
    since = now - timedelta(seconds=rule.pool.window_seconds)
    query = sa.select(sa.func.count(sa.distinct(_table.c.target))).where(
        _table.c.pool == rule.pool.name,
        _table.c.target != action.target,
        _spent(rule),
        sa.or_(_table.c.state.in_(actions.IN_FLIGHT), _table.c.claimed_at > since),
    )
    return int(connection.execute(query).scalar() or 0)
