"""The guards: whatever the facts, a limit once reached lets nothing through."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.decision import GUARDS, Allowed, Denied, Facts, decide
from alerting.remediation_rules import Mode, RuleSettings
from alerting.rule_limits import BudgetSettings
from tests.alerting.desk import START

OVERALL = BudgetSettings(actions=10)
FREE = Facts(
    paused_because=None, is_needed=True, is_muted=False, can_sign=True, busy_with=None,
    last_on_target_at=None, attempts_made=0, rule_runs=(), all_runs=(),
)  # fmt: skip

moments = st.integers(-7200, 7200).map(lambda seconds: START + timedelta(seconds=seconds))
facts = st.builds(
    Facts,
    paused_because=st.none() | st.just("drill"),
    is_needed=st.booleans(),
    is_muted=st.booleans(),
    can_sign=st.booleans(),
    busy_with=st.none() | st.just("act_1"),
    last_on_target_at=st.none() | moments,
    attempts_made=st.integers(0, 3),
    rule_runs=st.lists(moments, max_size=12).map(tuple),
    all_runs=st.lists(moments, max_size=24).map(tuple),
)


def rule(mode: Mode = Mode.AUTO, **changes: object) -> RuleSettings:
    checks = [{"query": "x", "fresh": "x", "above": 0}]
    return RuleSettings.model_validate(
        {
            "name": "r", "match": ["a=b"], "action": "restart-service", "target": "t",
            "endpoint": "e", "mode": mode, "cooldown": 600, "attempts": 2,
            "budget": {"actions": 3, "window": 3600}, "verification": {"checks": checks}, **changes,
        }
    )  # fmt: skip


def test_with_nothing_against_it_an_action_is_allowed():
    assert decide(rule(), OVERALL, FREE, now=START) == Allowed()


@pytest.mark.parametrize(
    ("guard", "changes"),
    [
        ("not_needed", {"is_needed": False}),
        ("muted", {"is_muted": True}),
        ("paused", {"paused_because": "drill"}),
        ("unsigned", {"can_sign": False}),
        ("attempts", {"attempts_made": 2}),
        ("target_busy", {"busy_with": "act_1"}),
        ("precondition", {"unmet": "the queue is empty"}),
        ("target_budget", {"target_runs": (START,) * 5}),
        ("cooldown", {"last_on_target_at": START - timedelta(seconds=599)}),
        ("rule_budget", {"rule_runs": (START - timedelta(minutes=50),) * 3}),
        ("overall_budget", {"all_runs": (START - timedelta(minutes=50),) * 10}),
    ],
)
def test_each_guard_denies_by_name(guard, changes):
    decision = decide(rule(), OVERALL, replace(FREE, **changes), now=START)
    assert isinstance(decision, Denied)
    assert decision.guard == guard


def test_a_rule_switched_off_meanwhile_denies():
    assert isinstance(decide(rule(Mode.OFF), OVERALL, FREE, now=START), Denied)


def test_a_cooldown_ends_when_its_time_is_over():
    cooled = replace(FREE, last_on_target_at=START - timedelta(seconds=600))
    assert decide(rule(), OVERALL, cooled, now=START) == Allowed()


def test_a_budget_frees_a_place_when_its_oldest_action_leaves_the_window():
    runs = tuple(START - timedelta(minutes=minutes) for minutes in (59, 30, 10))
    decision = decide(rule(), OVERALL, replace(FREE, rule_runs=runs), now=START)
    assert isinstance(decision, Denied)
    assert decision.again_at == START + timedelta(minutes=1)


@given(found=facts, now=moments)
def test_allowed_means_that_no_limit_is_reached(found, now):
    if decide(rule(), OVERALL, found, now=now) != Allowed():
        return
    assert found.paused_because is None
    assert found.is_needed
    assert not found.is_muted
    assert found.busy_with is None
    assert found.attempts_made < 2
    assert found.last_on_target_at is None or (now - found.last_on_target_at).total_seconds() >= 600
    assert _counted(found.rule_runs, now) < 3
    assert _counted(found.all_runs, now) < 10


def _counted(runs: tuple[datetime, ...], now: datetime) -> int:
    return sum(run > now - timedelta(hours=1) for run in runs)


@given(found=facts, now=moments)
def test_a_denial_is_never_asked_again_in_the_past(found, now):
    decision = decide(rule(), OVERALL, found, now=now)
    if isinstance(decision, Denied) and decision.again_at is not None:
        assert decision.again_at > now


@given(found=facts, now=moments)
def test_no_order_of_the_guards_would_allow_more(found, now):
    denials = [guard(rule(), OVERALL, found, now) for guard in GUARDS]
    allowed = decide(rule(), OVERALL, found, now=now) == Allowed()
    assert allowed == (not any(denials))
