"""Whether an action may run now. Pure: everything it depends on is in its arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.remediation_rules import Mode, RuleSettings
from alerting.rule_limits import BudgetSettings


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database says at the moment of the claim.

    Attributes:
        paused_because: what the kill switch says to it, or None.
        is_needed: an alert of the rule is still firing.
        is_muted: every such alert is silenced, inhibited or expected: a person has it in hand.
        can_sign: the endpoint's secret is set.
        busy_with: key of another action under way on the same target, or None.
        last_on_target_at: when the target was last acted on, or None.
        attempts_made: actions claimed for this rule and target in this incident.
        rule_runs: when this rule acted, within its window; any order.
        all_runs: when any rule acted, within the overall window; any order.
        target_runs: when any rule acted on this target, within its window; any order.
        unmet: what of the rule's preconditions does not hold, in words; empty when all do.
        pool_size: how many targets the pool has; None where nobody can tell.
        pool_touched: how many other targets of the pool were acted on within its window.
        is_compensation: it makes up for an action that did not help.
        clock_jumped_at: when the clock last jumped ahead, by its new reckoning, or None.
    """

    paused_because: str | None
    is_needed: bool
    is_muted: bool
    can_sign: bool
    busy_with: str | None
    last_on_target_at: datetime | None
    attempts_made: int
    rule_runs: tuple[datetime, ...]
    all_runs: tuple[datetime, ...]
    target_runs: tuple[datetime, ...] = ()
    unmet: str = ""
    pool_size: float | None = None
    pool_touched: int = 0
    is_compensation: bool = False
    clock_jumped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """Every guard agreed."""


@dataclass(frozen=True, slots=True)
class Denied:
    """One guard refused.

    Attributes:
        guard: its name, safe for a metric label.
        text: why, for a person.
        again_at: when to ask again; None means never.
    """

    guard: str
    text: str
    again_at: datetime | None = None


RECHECK_SECONDS = 5.0
"""How soon a guard without a known end is asked again."""

WINDOW_RECHECK_SECONDS = 30.0
"""Times of the week are told in minutes."""

Guard = Callable[[RuleSettings, BudgetSettings, Facts, datetime], Denied | None]


def decide(
    rule: RuleSettings, overall: BudgetSettings, facts: Facts, *, now: datetime
) -> Allowed | Denied:
    """Return the first denial in the order of ``GUARDS``, else Allowed."""
    guards = COMPENSATION_GUARDS if facts.is_compensation else GUARDS
    for guard in INFORMING_GUARDS if rule.informs else guards:
        denial = guard(rule, overall, facts, now)
        if denial is not None:
            return denial
    return Allowed()


def _mode(rule: RuleSettings, _all: BudgetSettings, _facts: Facts, _now: datetime) -> Denied | None:
    if rule.mode is Mode.OFF:
        return Denied("mode", "the rule is switched off")
    return None


def _need(rule: RuleSettings, _all: BudgetSettings, facts: Facts, _now: datetime) -> Denied | None:
    if facts.is_needed:
        return None
    return Denied("not_needed", f"no alert of rule {rule.name} is firing any more")


def _mute(_rule: RuleSettings, _all: BudgetSettings, facts: Facts, now: datetime) -> Denied | None:
    if not facts.is_muted:
        return None
    text = "its alert is silenced, inhibited or under maintenance"
    return Denied("muted", text, now + timedelta(seconds=RECHECK_SECONDS))


def _switch(
    _rule: RuleSettings, _all: BudgetSettings, facts: Facts, now: datetime
) -> Denied | None:
    if facts.paused_because is None:
        return None
    again_at = now + timedelta(seconds=RECHECK_SECONDS)
    return Denied("paused", facts.paused_because, again_at)


def _signature(
    rule: RuleSettings, _all: BudgetSettings, facts: Facts, _now: datetime
) -> Denied | None:
    if facts.can_sign or rule.mode is Mode.OBSERVE:
        return None
    return Denied("unsigned", f"endpoint {rule.endpoint} has no signing secret")


def _window(
    rule: RuleSettings, _all: BudgetSettings, _facts: Facts, now: datetime
) -> Denied | None:
    if not rule.during or any(interval.contains(now) for interval in rule.during):
        return None
    text = f"rule {rule.name} may not act at this time"
    return Denied("window", text, now + timedelta(seconds=WINDOW_RECHECK_SECONDS))


def _precondition(
    _rule: RuleSettings, _all: BudgetSettings, facts: Facts, now: datetime
) -> Denied | None:
    if not facts.unmet:
        return None
    return Denied("precondition", facts.unmet, now + timedelta(seconds=RECHECK_SECONDS))


def _pool(rule: RuleSettings, _all: BudgetSettings, facts: Facts, now: datetime) -> Denied | None:
    if rule.pool is None:
        return None
    again_at = now + timedelta(seconds=RECHECK_SECONDS)
    if facts.pool_size is None:
        return Denied("pool", f"how large pool {rule.pool.name} is cannot be told", again_at)
    most = rule.pool.most(facts.pool_size)
    if facts.pool_touched < most:
        return None
    text = (
        f"{facts.pool_touched} of {facts.pool_size:g} targets of pool {rule.pool.name} were acted "
        f"on within {rule.pool.window_seconds:g} s; at most {most} may be"
    )
    return Denied("pool", text, again_at)


def _target_budget(
    rule: RuleSettings, _all: BudgetSettings, facts: Facts, now: datetime
) -> Denied | None:
    return _within("target_budget", "the target", rule.target_budget, facts.target_runs, now)


def _attempts(
    rule: RuleSettings, _all: BudgetSettings, facts: Facts, _now: datetime
) -> Denied | None:
    if facts.attempts_made < rule.attempts:
        return None
    text = f"{facts.attempts_made} of {rule.attempts} attempts of this incident are used up"
    return Denied("attempts", text)


def _target_free(
    _rule: RuleSettings, _all: BudgetSettings, facts: Facts, now: datetime
) -> Denied | None:
    if facts.busy_with is None:
        return None
    text = "another action is under way on the same target"
    return Denied("target_busy", text, now + timedelta(seconds=RECHECK_SECONDS))


def _cooldown(
    rule: RuleSettings, _all: BudgetSettings, facts: Facts, now: datetime
) -> Denied | None:
    if facts.last_on_target_at is None:
        return None
    again_at = facts.last_on_target_at + timedelta(seconds=rule.cooldown_seconds)
    if now >= again_at:
        return None
    what = "it was told" if rule.informs else "the target was acted on"
    text = f"{what} less than {rule.cooldown_seconds:g} s ago"
    return Denied("cooldown", text, again_at)


def _clock(rule: RuleSettings, _all: BudgetSettings, facts: Facts, now: datetime) -> Denied | None:
    if facts.clock_jumped_at is None:
        return None
    again_at = facts.clock_jumped_at + timedelta(seconds=rule.cooldown_seconds)
    if now >= again_at:
        return None
    return Denied("clock", "the clock jumped ahead: how long ago anything was is unknown", again_at)


def _rule_budget(
    rule: RuleSettings, _all: BudgetSettings, facts: Facts, now: datetime
) -> Denied | None:
    return _within("rule_budget", f"rule {rule.name}", rule.budget, facts.rule_runs, now)


def _overall_budget(
    _rule: RuleSettings, overall: BudgetSettings, facts: Facts, now: datetime
) -> Denied | None:
    return _within("overall_budget", "all rules together", overall, facts.all_runs, now)


def _within(
    guard: str, whose: str, budget: BudgetSettings, runs: tuple[datetime, ...], now: datetime
) -> Denied | None:
    window = timedelta(seconds=budget.window_seconds)
    counted = sorted(run for run in runs if run > now - window)
    if len(counted) < budget.actions:
        return None
    text = f"the budget of {whose}, {budget.actions} in {budget.window_seconds:g} s, is used up"
    if budget.actions == 0:
        return Denied(guard, text)
    return Denied(guard, text, min(counted[-budget.actions], now) + window)


GUARDS: tuple[Guard, ...] = (
    _mode,
    _need,
    _mute,
    _switch,
    _signature,
    _window,
    _precondition,
    _attempts,
    _target_free,
    _cooldown,
    _clock,
    _pool,
    _target_budget,
    _rule_budget,
    _overall_budget,
)
"""Asked in this order: first what makes the action pointless, then what makes it unsafe."""

COMPENSATION_GUARDS: tuple[Guard, ...] = (_mode, _switch, _signature, _target_free)
"""A compensation belongs to an action that passed all the others."""

INFORMING_GUARDS: tuple[Guard, ...] = (
    _mode,
    _need,
    _mute,
    _switch,
    _window,
    _precondition,
    _attempts,
    _cooldown,
    _clock,
    _target_budget,
    _rule_budget,
)
"""A message touches no target, and must not fall silent because fixes have used up a budget."""
