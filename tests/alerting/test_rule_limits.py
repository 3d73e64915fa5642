"""When, where and how widely a rule may act, and what follows when it does not help."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.files_together import problems_in
from alerting.guard_facts import budgets_left
from alerting.rule_limits import PoolSettings
from tests.alerting.desk import ALERTING, RULES
from watchkeeper.storage import reading

ACTING = "    mode: auto\n"


def limited(make_desk, lines: str, **more: str):
    """A desk whose rule has ``lines`` more, and budgets that do not matter here."""
    budget = "    budget: {actions: 100, window: 1h}\n"
    text = f"{ACTING}{budget}    {lines}\n"
    return make_desk(rules={ACTING: text, **more})


def denials(desk) -> set[str]:
    return {guard for action in desk.actions() for guard in action["denied_by"]}


POOL = "pool: {name: workers, size_query: count(up), ceiling: 0.2, window: 10m}"


def test_of_a_ten_target_pool_at_a_fifth_two_are_acted_on(make_desk, endpoint, prometheus):
    prometheus.value = 10
    desk = limited(make_desk, POOL)
    for number in range(10):
        desk.fire("WorkerDead", process=f"worker-{number}")
    desk.pass_time(60, step_seconds=5)
    assert len(endpoint.effects) == 2
    assert "2 of 10 targets of pool workers were acted on within 600 s; at most 2 may be" in (
        desk.story()
    )


def test_a_pool_remembers_what_is_under_way_beyond_its_window(make_desk, endpoint, prometheus):
    prometheus.value = 3  # of which one may be acted on
    desk = limited(make_desk, POOL.replace("10m", "20s") + "\n    run_time: 10m")
    endpoint.becomes = "running"
    desk.fire("WorkerDead", process="worker-1")
    desk.pass_time(60, step_seconds=5)
    desk.fire("WorkerDead", process="worker-2")
    desk.pass_time(60, step_seconds=5)
    assert [call.json["data"]["target"] for call in endpoint.calls] == ["worker-1"]
    assert denials(desk) == {"pool"}


def test_the_smallest_pool_is_not_left_alone(make_desk, endpoint, prometheus):
    prometheus.value = 2
    desk = limited(make_desk, POOL)
    for number in range(2):
        desk.fire("WorkerDead", process=f"worker-{number}")
    desk.pass_time(30, step_seconds=5)
    assert len(endpoint.effects) == 1


@pytest.mark.parametrize("value", [None, float("nan"), 0.0])
def test_a_pool_of_unknown_size_is_not_touched(make_desk, endpoint, prometheus, value):
    prometheus.value = value
    desk = limited(make_desk, POOL)
    desk.fire()
    desk.pass_time(10)
    assert endpoint.calls == []
    assert denials(desk) == {"pool"}


@given(size=st.integers(1, 10_000), ratio=st.floats(0.01, 1))
def test_a_ceiling_is_a_share_and_at_least_one(size, ratio):
    pool = PoolSettings.model_validate({"name": "p", "size_query": "x", "ceiling": ratio})
    assert pool.most(size) >= 1
    assert pool.most(size) == 1 or pool.most(size) <= ratio * size + 1e-6


CONDITION = "preconditions: [{query: spare, means: spare workers, above: 1}]"


def test_what_a_rule_waits_for_must_be_true_of_the_data(make_desk, endpoint, prometheus):
    prometheus.value = 1
    desk = limited(make_desk, CONDITION)
    desk.fire()
    desk.pass_time(10)
    assert endpoint.calls == []
    assert "spare workers is 1" in desk.story()
    prometheus.value = 2
    desk.pass_time(10)
    assert len(endpoint.effects) == 1


@pytest.mark.parametrize("fault", ["missing", "nan", "down"])
def test_without_data_a_precondition_does_not_hold(make_desk, endpoint, prometheus, fault):
    prometheus.value = {"missing": None, "nan": float("nan"), "down": 5.0}[fault]
    prometheus.is_down = fault == "down"
    desk = limited(make_desk, CONDITION)
    desk.fire()
    desk.pass_time(10)
    assert endpoint.calls == []
    assert denials(desk) == {"precondition"}


def test_outside_its_hours_a_rule_waits(make_desk, endpoint):
    # The desk's clock starts at 09:00 UTC on a Monday.
    desk = limited(
        make_desk,
        "during: [{weekdays: [monday], times: [{start_time: '09:10', end_time: '10:00'}]}]",
    )
    desk.fire()
    desk.pass_time(120, step_seconds=10)
    assert endpoint.calls == []
    assert denials(desk) == {"window"}
    desk.pass_time(600, step_seconds=30)
    assert len(endpoint.effects) == 1


def test_one_target_is_left_alone_when_its_budget_is_used_up(make_desk, endpoint):
    desk = limited(make_desk, "target_budget: {actions: 1, window: 30m}")
    for _ in range(2):
        desk.fire()
        desk.pass_time(100, step_seconds=5)
        desk.resolve()
    assert len(endpoint.effects) == 1
    assert "target_budget" in denials(desk)


COMPENSATED = "compensation: {action: scale-out, parameters: {by: 1}}\n    escalate_to: [boss]"
ONCE = {"attempts: 2": "attempts: 1"}


def pages(desk) -> list[str]:
    return [one["receiver"] for one in desk.deliveries() if one["event"] == "escalated"]


@pytest.mark.parametrize("fault", ["unhelped", "missing", "nan", "frozen", "down"])
def test_an_action_without_visible_success_is_made_up_for_once_and_one_page_goes_out(
    make_desk, endpoint, prometheus, slack, clock, fault
):
    desk = limited(make_desk, COMPENSATED, **ONCE)
    prometheus.value = {"unhelped": 0.0, "missing": None, "nan": float("nan")}.get(fault, 1.0)
    prometheus.is_down = fault == "down"
    prometheus.sampled_at = clock.now().timestamp() if fault == "frozen" else None
    desk.fire()
    desk.pass_time(150, step_seconds=5)
    first, second = desk.actions()
    assert (first["state"], second["state"]) == ("unverified", "succeeded")
    assert (second["action"], second["target"]) == ("scale-out", "worker")
    assert [call.json["data"]["action"] for call in endpoint.calls] == [
        "restart-service", "scale-out",
    ]  # fmt: skip
    assert pages(desk) == ["slack"]


def test_a_compensation_that_fails_is_not_made_up_for_again(make_desk, endpoint, prometheus):
    desk = limited(make_desk, COMPENSATED, **ONCE)
    prometheus.value = 0
    endpoint.becomes = "failed"
    desk.fire()
    desk.pass_time(100, step_seconds=5)
    assert [action["state"] for action in desk.actions()] == ["failed", "failed"]
    assert pages(desk) == ["slack"]


def test_the_kill_switch_stops_a_compensation_too(make_desk, endpoint, prometheus):
    desk = limited(make_desk, COMPENSATED, **ONCE)
    prometheus.value = 0
    desk.fire()
    desk.act()
    desk.pause()
    desk.pass_time(150, step_seconds=5)
    assert len(endpoint.calls) == 1


def test_who_a_rule_escalates_to_hears_when_a_person_is_needed(make_desk, endpoint, prometheus):
    desk = limited(make_desk, "escalate_to: [boss]", **ONCE)
    desk.add_receiver("boss")
    prometheus.value = 0
    desk.fire()
    desk.pass_time(100, step_seconds=5)
    assert pages(desk) == ["slack", "boss"]


def test_a_receiver_that_is_not_there_is_named_by_check(tmp_path):
    (tmp_path / "remediation.yml").write_text(
        RULES.replace("URL", "http://127.0.0.1:1").replace("DEDUPLICATES", "true")
        + "    escalate_to: [boss]\n"
    )
    (tmp_path / "alerting.yml").write_text(ALERTING)
    [problem] = problems_in(tmp_path)
    assert problem.key == "rules[0].escalate_to"
    assert "no receiver boss in alerting.yml; known there: slack" in str(problem)
    assert "remediation.yml:" in str(problem)


def test_what_is_left_of_a_budget_falls_with_each_action_and_comes_back(make_desk, endpoint):
    desk = make_desk(rules={ACTING: f"{ACTING}    budget: {{actions: 2, window: 10m}}\n"})

    def left():
        rules = desk.configuration.remediation
        with reading(desk.store.engine) as connection:
            return budgets_left(connection, rules, now=desk.clock.now())

    [name] = left()
    assert left() == {name: 2}
    desk.fire()
    desk.pass_time(10)
    assert endpoint.effects
    assert left() == {name: 1}
    desk.resolve()
    desk.pass_time(660, step_seconds=30)
    assert left() == {name: 2}


@pytest.mark.parametrize("becomes", ["interrupted", "running"])
def test_a_compensation_of_unknown_outcome_is_told_as_unknown(
    make_desk, endpoint, prometheus, becomes
):
    desk = limited(make_desk, COMPENSATED, **ONCE)
    prometheus.value = 0
    endpoint.becomes = becomes
    desk.fire()
    desk.pass_time(400, step_seconds=5)
    assert [action["state"] for action in desk.actions()] == ["unknown", "unknown"]
    assert len(endpoint.calls) == 2
    assert pages(desk) == ["slack"]
