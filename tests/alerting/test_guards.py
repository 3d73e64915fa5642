"""Each limit counts what it is about, over time and restarts, and nothing else."""

from __future__ import annotations

import pytest

SECOND = """rules:
  - name: rotate
    match: ['alertname="DiskFull"']
    action: run-command
    target: "{{ labels.process }}"
    endpoint: local
    mode: auto
    cooldown: 0s
    verification:
      checks: [{query: tasks, above: 0, fresh: tasks}]
      settle: 5s
      samples: 2
      every: 5s
"""


@pytest.fixture
def two_rules(make_desk):
    """Return what makes a desk with a rule ``restart`` of some limits, and ``rotate`` beside it."""

    def make(*limits: str):
        lines = "".join(f"    {line}\n" for line in ("cooldown: 0s", *limits))
        return make_desk(
            rules={"rules:\n": SECOND, "    cooldown: 60s\n": lines, "    attempts: 2\n": ""}
        )

    return make


def done(endpoint) -> list[tuple[str, str]]:
    return [(call.json["data"]["action"], call.json["data"]["target"]) for call in endpoint.calls]


def guards(desk) -> set[str]:
    return {guard for action in desk.actions() for guard in action["denied_by"]}


def test_a_target_that_another_action_is_under_way_on_waits_its_turn(two_rules, endpoint):
    desk = two_rules("run_time: 2m")
    endpoint.becomes = "running"
    desk.fire("WorkerDead", process="w")
    desk.pass_time(10)
    desk.fire("DiskFull", process="w")
    desk.pass_time(60, step_seconds=5)
    assert done(endpoint) == [("restart-service", "w")]
    assert guards(desk) == {"target_busy"}
    desk.pass_time(120, step_seconds=5)  # the first is given up, and the data say that it helped
    assert done(endpoint) == [("restart-service", "w"), ("run-command", "w")]


def test_an_action_under_way_holds_up_no_other_target(two_rules, endpoint):
    desk = two_rules("run_time: 15m")
    endpoint.becomes = "running"
    desk.fire("WorkerDead", process="w")
    desk.fire("DiskFull", process="v")
    desk.pass_time(10)
    assert sorted(done(endpoint)) == [("restart-service", "w"), ("run-command", "v")]


def test_an_alert_that_comes_back_within_an_incident_gets_no_further_attempt(two_rules, endpoint):
    desk = two_rules("attempts: 1")
    desk.fire("Other")  # keeps the incident open
    for _ in range(2):
        desk.fire("WorkerDead", process="w")
        desk.pass_time(60, step_seconds=5)
        desk.resolve("WorkerDead", process="w")
        desk.clock.advance(60)
    assert done(endpoint) == [("restart-service", "w")]
    assert guards(desk) == {"attempts"}


def test_the_attempts_of_an_incident_are_of_one_target_and_one_rule(two_rules, endpoint):
    desk = two_rules("attempts: 1")
    desk.fire("WorkerDead", process="w")
    desk.pass_time(60, step_seconds=5)
    desk.fire("WorkerDead", process="v")
    desk.fire("DiskFull", process="w")
    desk.pass_time(60, step_seconds=5)
    assert len(desk.incidents()) == 1
    assert sorted(done(endpoint)) == [
        ("restart-service", "v"), ("restart-service", "w"), ("run-command", "w"),
    ]  # fmt: skip


def test_the_next_incident_has_attempts_of_its_own(two_rules, endpoint):
    desk = two_rules("attempts: 1")
    for _ in range(2):
        desk.fire("WorkerDead", process="w")
        desk.pass_time(60, step_seconds=5)
        desk.resolve("WorkerDead", process="w")
        desk.clock.advance(60)
    assert len(desk.incidents()) == 2
    assert len(done(endpoint)) == 2


@pytest.mark.parametrize("limit", ["target_budget: {actions: 1}", "cooldown: 1h"])
def test_a_limit_of_one_target_leaves_the_others_alone(two_rules, make_desk, endpoint, limit):
    desk = two_rules(limit) if "budget" in limit else make_desk(rules={"cooldown: 60s": limit})
    for process in ("w", "v"):
        desk.fire("WorkerDead", process=process)
        desk.pass_time(60, step_seconds=5)
    assert done(endpoint) == [("restart-service", "w"), ("restart-service", "v")]


def test_a_budget_of_one_rule_leaves_the_others_alone(two_rules, endpoint):
    desk = two_rules("budget: {actions: 1}")
    desk.fire("DiskFull", process="v")
    desk.pass_time(60, step_seconds=5)
    for process in ("w", "x"):
        desk.fire("WorkerDead", process=process)
        desk.pass_time(60, step_seconds=5)
    assert done(endpoint) == [("run-command", "v"), ("restart-service", "w")]
    assert guards(desk) == {"rule_budget"}


def test_the_budget_of_all_counts_every_rule(make_desk, endpoint):
    overall = SECOND.replace("rules:\n", "budget: {actions: 1}\nrules:\n")
    desk = make_desk(rules={"rules:\n": overall})
    desk.fire("DiskFull", process="v")
    desk.pass_time(60, step_seconds=5)
    desk.fire("WorkerDead", process="w")
    desk.pass_time(60, step_seconds=5)
    assert done(endpoint) == [("run-command", "v")]
    assert guards(desk) == {"overall_budget"}


def test_a_cooldown_runs_from_the_end_of_an_action(make_desk, endpoint):
    desk = make_desk(rules={"cooldown: 60s": "cooldown: 60s\n    run_time: 50s"})
    endpoint.becomes = "running"
    desk.fire("WorkerDead", process="w")
    desk.pass_time(70, step_seconds=5)  # after 50 s it is given up, and the data say that it helped
    desk.resolve("WorkerDead", process="w")
    desk.fire("WorkerDead", process="w")
    desk.pass_time(20, step_seconds=5)
    assert done(endpoint) == [("restart-service", "w")]
    assert guards(desk) == {"cooldown"}
    desk.pass_time(40, step_seconds=5)
    assert len(done(endpoint)) == 2


POOL = "pool: {name: NAME, size_query: count(up), ceiling: 0.2}"


@pytest.mark.parametrize(("other", "acted_on"), [("caches", ["v", "w"]), ("workers", ["v"])])
def test_a_pool_counts_its_own_targets_and_no_others(
    make_desk, endpoint, prometheus, other, acted_on
):
    prometheus.value = 3  # of which one may be acted on
    mode = "    mode: auto\n"
    mine, others = (f"{mode}    {POOL.replace('NAME', name)}\n" for name in ("workers", other))
    desk = make_desk(rules={mode: mine, "rules:\n": SECOND.replace(mode, others)})
    desk.fire("DiskFull", process="v")
    desk.pass_time(60, step_seconds=5)
    desk.fire("WorkerDead", process="w")
    desk.pass_time(60, step_seconds=5)
    assert [target for _action, target in done(endpoint)] == acted_on
