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


@pytest.mark.parametrize("is_compensation", [False, True])
def test_a_rule_switched_off_meanwhile_denies(is_compensation):
    found = replace(FREE, is_compensation=is_compensation)
    decision = decide(rule(Mode.OFF), OVERALL, found, now=START)
    assert isinstance(decision, Denied)
    assert decision.guard == "mode"


@pytest.mark.parametrize(
    ("guard", "changes"),
    [
        ("paused", {"paused_because": "drill"}),
        ("unsigned", {"can_sign": False}),
        ("target_busy", {"busy_with": "act_1"}),
    ],
)
def test_a_compensation_is_denied_by_what_makes_it_unsafe(guard, changes):
    found = replace(FREE, is_compensation=True, **changes)
    decision = decide(rule(), OVERALL, found, now=START)
    assert isinstance(decision, Denied)
    assert decision.guard == guard


def test_no_limit_that_its_action_passed_holds_up_a_compensation():
    found = replace(
        FREE, is_compensation=True, is_needed=False, is_muted=True, attempts_made=2,
        last_on_target_at=START, rule_runs=(START,) * 3, all_runs=(START,) * 10,
        target_runs=(START,) * 5, unmet="the queue is empty", clock_jumped_at=START,
    )  # fmt: skip
    assert decide(rule(), OVERALL, found, now=START) == Allowed()


def test_a_clock_that_jumped_ahead_holds_up_an_action_for_its_cooldown():
    jumped = replace(FREE, clock_jumped_at=START - timedelta(seconds=599))
    decision = decide(rule(), OVERALL, jumped, now=START)
    assert isinstance(decision, Denied)
    assert (decision.guard, decision.again_at) == ("clock", START + timedelta(seconds=1))


POOL = {"name": "web", "size_query": "count(up)", "ceiling": 0.2}


@pytest.mark.parametrize(
    ("size", "touched", "allowed"), [(10, 1, True), (10, 2, False), (1, 0, True), (None, 0, False)]
)
def test_a_pool_is_acted_on_up_to_its_share_and_only_where_its_size_is_known(
    size, touched, allowed
):
    found = replace(FREE, pool_size=size, pool_touched=touched)
    decision = decide(rule(pool=POOL), OVERALL, found, now=START)
    assert (decision == Allowed()) is allowed
    assert allowed or decision.guard == "pool"


HOURS = [{"times": [{"start_time": "08:00", "end_time": "09:00"}]}]


@pytest.mark.parametrize(("minutes", "allowed"), [(-1, True), (1, False)])
def test_a_rule_acts_only_in_its_hours(minutes, allowed):
    decision = decide(rule(during=HOURS), OVERALL, FREE, now=START + timedelta(minutes=minutes))
    assert (decision == Allowed()) is allowed
    assert allowed or decision.guard == "window"


def telling(mode: Mode = Mode.AUTO, **changes: object) -> RuleSettings:
    return RuleSettings.model_validate(
        {
            "name": "t", "match": ["a=b"], "action": "notify-team", "tell": ["slack"],
            "mode": mode, "cooldown": 600, "attempts": 2,
            "budget": {"actions": 3, "window": 3600}, **changes,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("guard", "changes"),
    [
        ("not_needed", {"is_needed": False}),
        ("muted", {"is_muted": True}),
        ("paused", {"paused_because": "drill"}),
        ("attempts", {"attempts_made": 2}),
        ("precondition", {"unmet": "the queue is empty"}),
        ("cooldown", {"last_on_target_at": START - timedelta(seconds=599)}),
        ("clock", {"clock_jumped_at": START - timedelta(seconds=599)}),
        ("target_budget", {"target_runs": (START,) * 5}),
        ("rule_budget", {"rule_runs": (START - timedelta(minutes=50),) * 3}),
    ],
)
def test_a_message_is_held_back_by_name_as_well(guard, changes):
    decision = decide(telling(), OVERALL, replace(FREE, **changes), now=START)
    assert isinstance(decision, Denied)
    assert decision.guard == guard


def test_a_message_is_held_back_by_its_mode_and_its_hours():
    off = decide(telling(Mode.OFF), OVERALL, FREE, now=START)
    late = decide(telling(during=HOURS), OVERALL, FREE, now=START + timedelta(minutes=1))
    assert isinstance(off, Denied)
    assert isinstance(late, Denied)
    assert (off.guard, late.guard) == ("mode", "window")


def test_a_message_needs_no_signature_and_heeds_no_limit_of_fixes():
    found = replace(FREE, can_sign=False, busy_with="act_1", all_runs=(START,) * 10)
    assert decide(telling(), OVERALL, found, now=START) == Allowed()


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
