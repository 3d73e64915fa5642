"""The guards against a small model, whatever order things happen in.

The model knows what fires, what is paused, and the limits as they stand in the file. It looks at
what reached the endpoint: no call may break a limit, and what still fires when everything is
allowed again must have been acted on.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from alerting.kill_switch import EVERYTHING, Kind, Scope
from tests.alerting.desk import START, Desk
from tests.alerting.loopback import SECRET, EndpointServer, PrometheusServer
from tests.alerting.test_model import CALM
from watchkeeper.clock import ManualClock, parse_rfc3339

RULE_OF = {"restart-service": "restart", "run-command": "rotate"}
ACTION_ON = {"WorkerDead": "restart-service", "DiskFull": "run-command"}
COOLDOWN = {"restart": timedelta(seconds=60), "rotate": timedelta(seconds=20)}
ATTEMPTS, WINDOW = 2, timedelta(minutes=10)
RULE_BUDGET, TARGET_BUDGET, OVERALL_BUDGET = 2, 2, 3

BUDGETS = """
    budget: {actions: 2, window: 10m}
    target_budget: {actions: 2, window: 10m}
"""
RULES = {
    "rules:\n": f"""budget: {{actions: 3, window: 10m}}
rules:
  - name: rotate
    match: ['alertname="DiskFull"']
    action: run-command
    target: "{{{{ labels.process }}}}"
    endpoint: local
    mode: auto
    cooldown: 20s
    attempts: 2
    verification:
      checks: [{{query: 'tasks', above: 0, fresh: tasks}}]
      settle: 5s
      samples: 2
      every: 5s
      deadline: 60s{BUDGETS}""",
    "    cooldown: 60s\n": f"    cooldown: 60s{BUDGETS}",
}

NAMES = st.sampled_from(sorted(ACTION_ON))
PROCESSES = st.sampled_from(["a", "b"])
SCOPES = st.sampled_from([EVERYTHING, Scope(Kind.RULE, "restart"), Scope(Kind.TARGET, "a")])


class Guarded(RuleBasedStateMachine):
    """Does to a desk and to the model the same, and judges every call that leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setenv("TEST_SECRET", SECRET)
        self.patch.delenv("TEST_SLACK_URL", raising=False)
        self.directory = tempfile.TemporaryDirectory()
        self.clock = ManualClock(START)
        self.endpoint = EndpointServer().__enter__()
        self.prometheus = PrometheusServer(self.clock.now).__enter__()
        self.desk = Desk(
            Path(self.directory.name), endpoint_url=self.endpoint.url, alerting=CALM, rules=RULES,
            prometheus_url=self.prometheus.url, clock=self.clock,
        )  # fmt: skip
        self.firing: set[tuple[str, str]] = set()
        self.paused: dict[Scope, datetime | None] = {}
        self.judged: list[tuple[datetime, str, str, str]] = []
        self.newest_token: Counter[str] = Counter()

    @rule(name=NAMES, process=PROCESSES)
    def fire(self, name: str, process: str) -> None:
        self.firing.add((name, process))
        self.desk.fire(name, process=process)
        self.desk.act()

    @rule()
    def everything_breaks(self) -> None:
        for name in ACTION_ON:
            for process in "ab":
                self.fire(name, process)
        self.pass_time(3, 30.0)

    @rule(name=NAMES, process=PROCESSES)
    def resolve(self, name: str, process: str) -> None:
        self.firing.discard((name, process))
        self.clock.advance(1)
        self.desk.resolve(name, process=process)

    @rule(scope=SCOPES, seconds=st.sampled_from([None, 40.0]))
    def pause(self, scope: Scope, seconds: float | None) -> None:
        self.paused[scope] = seconds and self.clock.now() + timedelta(seconds=seconds)
        self.desk.pause(scope, seconds=seconds)

    @rule(scope=SCOPES)
    def resume(self, scope: Scope) -> None:
        self.paused.pop(scope, None)
        self.desk.resume(scope)

    @rule(steps=st.integers(1, 6), step_seconds=st.sampled_from([1.0, 5.0, 30.0, 150.0]))
    def pass_time(self, steps: int, step_seconds: float) -> None:
        for _ in range(steps):
            self.clock.advance(step_seconds)
            self.desk.act()

    @rule(helps=st.booleans(), becomes=st.sampled_from(["succeeded", "failed", "interrupted"]))
    def actions_turn_out(self, helps: bool, becomes: str) -> None:
        self.prometheus.value, self.endpoint.becomes = float(helps), becomes

    @rule()
    def an_answer_is_lost(self) -> None:
        self.endpoint.lose_answers = 1

    @rule()
    def start_anew(self) -> None:
        self.desk.close()
        self.desk.open()

    @invariant()
    def no_call_broke_a_limit(self) -> None:
        for call in self.endpoint.calls[len(self.judged) :]:
            at = datetime.fromtimestamp(int(call.headers["webhook-timestamp"]), UTC)
            data = call.json["data"]
            self._judge(at, RULE_OF[data["action"]], data["target"], data["incident"]["id"])
            assert data["fencing_token"] > self.newest_token[data["target"]]
            self.newest_token[data["target"]] = data["fencing_token"]
        assert len(self.endpoint.effects) == len(self.endpoint.calls)

    def _judge(self, at: datetime, rule_name: str, target: str, incident: str) -> None:
        scopes = {EVERYTHING, Scope(Kind.RULE, rule_name), Scope(Kind.TARGET, target)}
        holding = {s for s, until in self.paused.items() if until is None or until > at}
        assert not scopes & holding, f"{rule_name} on {target} at {at} in spite of {holding}"
        assert any(RULE_OF[ACTION_ON[name]] == rule_name and on == target
                   for name, on in self.firing)  # fmt: skip
        before = [one for one in self.judged if one[2] == target]
        self._judge_distance(at, rule_name, target, len(before))
        self.judged.append((at, rule_name, target, incident))
        recent = [one for one in self.judged if one[0] > at - WINDOW]
        assert sum(one[1] == rule_name for one in recent) <= RULE_BUDGET
        assert sum(one[2] == target for one in recent) <= TARGET_BUDGET
        assert len(recent) <= OVERALL_BUDGET
        attempts = Counter(one[1:] for one in self.judged)
        assert attempts[rule_name, target, incident] <= ATTEMPTS

    def _judge_distance(self, at: datetime, rule_name: str, target: str, earlier: int) -> None:
        """One action a target at a time, and each as long after the last as its rule says."""
        called = [
            one for one in self.desk.actions() if one["target"] == target and one["dispatched_at"]
        ]
        called.sort(key=lambda one: one["fencing_token"])
        for one in called[:earlier]:
            assert one["finished_at"] is not None, f"{target} was busy with {one}"
            ended = parse_rfc3339(one["completed_at"] or one["dispatched_at"])
            assert at >= ended.replace(microsecond=0) + COOLDOWN[rule_name] - timedelta(seconds=1)
            assert at >= parse_rfc3339(one["finished_at"]).replace(microsecond=0)

    def teardown(self) -> None:
        try:
            self._what_still_fires_was_acted_on()
        finally:
            self.desk.close()
            self.endpoint.__exit__()
            self.prometheus.__exit__()
            self.patch.undo()
            self.directory.cleanup()

    def _what_still_fires_was_acted_on(self) -> None:
        for scope in list(self.paused):
            self.resume(scope)
        for _ in range(100):
            self.pass_time(1, 30.0)
        self.no_call_broke_a_limit()
        opened = [one["id"] for one in self.desk.incidents() if one["status"] == "open"]
        for name, target in self.firing:
            wanted = (RULE_OF[ACTION_ON[name]], target, opened[0])
            assert wanted in {one[1:] for one in self.judged}, f"nothing was done for {wanted}"


Guarded.TestCase.settings = settings(
    max_examples=8,
    stateful_step_count=20,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink a failure takes minutes
)
TestTheGuardsAgainstTheirModel = Guarded.TestCase
