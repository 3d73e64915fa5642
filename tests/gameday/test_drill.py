"""A game day says what was found, by what, how fast, and whether it was mended."""

import json
import threading
from datetime import UTC, datetime

import pytest

from watchkeeper.clock import ManualClock, format_rfc3339
from watchkeeper.errors import ConfigError, UpstreamError, WatchkeeperError
from watchkeeper.gameday import drill as drill_module
from watchkeeper.gameday.drill import Drill, Stopped
from watchkeeper.gameday.plan import Fault, GamedayPlan, Step, load_plan
from watchkeeper.gameday.report import as_json

INJECT = Step(url="http://watched/faults/x")
CLEAR = Step(url="http://watched/faults/x", method="DELETE")


class World:
    """A watched system in which an injected fault alerts, and is mended, after set delays."""

    def __init__(self, *, alert_after=10.0, alertname="TaskQueueStalled", mended_after=20.0):
        self.clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.alert_after, self.mended_after, self.alertname = alert_after, mended_after, alertname
        self.injected_at = self.cleared_at = None
        self.query_state = "ready"
        self.stray_alarm_at = None
        self.down_until = 0.0
        self.labels, self.target, self.verified_in = {}, "taskboard-worker", "1"
        self.broken_steps, self.on_injection = (), lambda: None

    # what the drill uses

    def do(self, step):
        if step in self.broken_steps:
            raise UpstreamError(f"{step.method} cannot be done")
        if step == CLEAR:
            self.cleared_at = self.seconds()
        else:
            self.injected_at = self.seconds()
            self.on_injection()

    def get(self, path, **_parameters):
        if self.seconds() < self.down_until:
            raise UpstreamError("alerting cannot be reached")
        if path == "/api/v1/queries":
            return {"queries": [{"name": "response_time", "state": self.query_state}]}
        return {"incidents": self.incidents()}

    # what it makes of it

    def seconds(self):
        return self.clock.monotonic_seconds()

    def incidents(self):
        found = []
        if self.stray_alarm_at is not None and self.seconds() >= self.stray_alarm_at:
            found.append(self.incident("stray", "Stray", self.stray_alarm_at, resolved=True))
        if self.injected_at is not None and self.elapsed() >= self.alert_after:
            mended = self.mended_after is not None and self.elapsed() >= self.mended_after
            over = mended or self.cleared_at is not None
            incident = self.incident("1", self.alertname, self.injected_at, resolved=over)
            found.append(incident)
            if mended:
                self.verify(found)
        return found

    def verify(self, incidents):
        if self.verified_in != "1":
            incidents.append(self.incident(self.verified_in, "Other", 0.0, resolved=True))
        entry = {"at": format_rfc3339(self.clock.now()), "kind": "verified", "text": "",
                 "detail": {"action": "restart-service", "target": self.target}}  # fmt: skip
        incidents[-1]["timeline"].append(entry)

    def elapsed(self):
        return self.seconds() - self.injected_at

    def incident(self, number, alertname, started, *, resolved):
        labels = {"alertname": alertname, "service": "taskboard", **self.labels}
        alert = {"fingerprint": f"{alertname}-{number}", "starts_at": str(started),
                 "labels": labels, "annotations": {}}  # fmt: skip
        return {"id": number, "status": "resolved" if resolved else "open",
                "service": "taskboard", "timeline": [], "alerts": [alert]}  # fmt: skip


class ClockDrivenStop(threading.Event):
    """Waiting moves the manual clock instead of the real one."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock

    def wait(self, timeout=None):
        self.clock.advance(timeout or 0)
        return self.is_set()


def fault(**changes):
    usual = {"alerts": ("TaskQueueStalled",), "action": "restart-service"}
    return Fault(description="x", inject=INJECT, **{**usual, **changes})


def drill_in(world, **plan):
    lines = []
    plan = GamedayPlan(services=("taskboard",), ready_queries=("response_time",), **plan)
    drill = Drill(plan, alerting=world, anomaly=world, breaker=world, clock=world.clock,
                  tell=lines.append, stop=ClockDrivenStop(world.clock))  # fmt: skip
    return drill, lines


def test_a_found_and_mended_fault_passes_with_its_times():
    world = World()
    outcome = drill_in(world)[0].run("dead-worker", fault(), quiet_seconds=5)
    assert outcome.passed
    assert outcome.detected_by == "rule TaskQueueStalled"
    assert 10 <= outcome.seconds_to_detect <= 10 + drill_module.POLL_SECONDS
    assert 20 <= outcome.seconds_to_recover <= 20 + drill_module.POLL_SECONDS
    assert outcome.quiet_false_alarms == 0


def test_a_fault_nobody_finds_fails():
    world = World(alertname="SomethingElse")
    outcome = drill_in(world)[0].run("dead-worker", fault(), quiet_seconds=0)
    assert not outcome.passed
    assert outcome.detected_by is None


def test_a_fault_that_is_found_but_not_mended_fails_and_is_cleared_up():
    world = World(mended_after=None)
    outcome = drill_in(world)[0].run("leak", fault(clear=(CLEAR,)), quiet_seconds=0)
    assert not outcome.passed
    assert not outcome.recovered
    assert world.cleared_at is not None


def test_a_fault_without_an_action_recovers_when_cleared():
    world = World(mended_after=None)
    outcome = drill_in(world)[0].run("errors", fault(clear=(CLEAR,), action=None), quiet_seconds=0)
    assert outcome.passed
    assert outcome.seconds_to_recover is None


def test_another_action_than_the_expected_one_is_not_recovery():
    world = World()
    outcome = drill_in(world)[0].run("surge", fault(action="scale-out"), quiet_seconds=0)
    assert outcome.seconds_to_recover is None
    assert not outcome.passed


def test_an_action_on_another_target_is_not_recovery():
    world = World()
    world.target = "console"
    of_the_worker = fault(target="taskboard-worker")
    assert not drill_in(world)[0].run("dead", of_the_worker, quiet_seconds=0).recovered
    assert drill_in(World())[0].run("dead", of_the_worker, quiet_seconds=0).recovered


def test_an_action_verified_in_an_incident_of_something_else_is_not_recovery():
    world = World()
    world.verified_in = "2"
    outcome = drill_in(world)[0].run("dead-worker", fault(), quiet_seconds=0)
    assert outcome.detected_by is not None
    assert not outcome.recovered


@pytest.mark.parametrize(("query", "is_found"), [("response-time", True), ("memory", False)])
def test_an_expected_alert_may_name_the_labels_it_must_have(query, is_found):
    world = World(alertname="Anomaly", mended_after=None)
    world.labels = {"query": query}
    expected = [{"name": "Anomaly", "labels": {"query": "response-time"}}]
    slow = fault(alerts=expected, action=None, clear=(CLEAR,))
    assert drill_in(world)[0].run("slow", slow, quiet_seconds=0).passed is is_found


def test_a_fault_that_cannot_be_injected_fails_with_the_reason():
    world = World()
    world.broken_steps = (INJECT,)
    outcome = drill_in(world)[0].run("dead-worker", fault(), quiet_seconds=0)
    assert outcome.problem == "POST cannot be done"
    assert not outcome.passed


def test_a_fault_that_cannot_be_cleared_keeps_what_was_seen_of_it():
    world = World()
    world.broken_steps = (CLEAR,)
    outcome = drill_in(world)[0].run("leak", fault(clear=(CLEAR,)), quiet_seconds=0)
    assert outcome.recovered
    assert outcome.problem == "not cleared up: DELETE cannot be done"
    assert not outcome.passed


def test_alerting_may_be_away_when_the_quiet_ends():
    world = World()
    world.down_until = 10.0
    assert drill_in(world)[0].run("dead-worker", fault(), quiet_seconds=5).passed


def test_a_day_that_is_stopped_clears_up_first():
    world = World()
    drill, _ = drill_in(world)
    world.on_injection = drill._stop.set
    with pytest.raises(Stopped):
        drill.run("leak", fault(clear=(CLEAR,)), quiet_seconds=0)
    assert world.cleared_at is not None


def test_a_forbidden_alert_fails_a_fault_that_is_otherwise_fine():
    world = World()
    forbidden = fault(alerts=("TaskQueueStalled",), forbidden_alerts=("TaskQueueStalled",))
    outcome = drill_in(world)[0].run("slow", forbidden, quiet_seconds=0)
    assert outcome.problem == "TaskQueueStalled fired and must not"
    assert not outcome.passed


def test_an_alarm_in_the_quiet_is_counted_even_when_it_has_ended():
    world = World()
    world.stray_alarm_at = 2.0
    outcome = drill_in(world)[0].run("dead-worker", fault(), quiet_seconds=5)
    assert outcome.quiet_false_alarms == 1


def test_an_alarm_from_before_the_quiet_is_not():
    world = World()
    world.stray_alarm_at = 0.0
    outcome = drill_in(world)[0].run("dead-worker", fault(), quiet_seconds=5)
    assert outcome.quiet_false_alarms == 0


def test_a_service_that_is_away_for_a_moment_is_asked_again():
    world = World()
    drill, lines = drill_in(world)
    world.down_until = 3.0
    drill.warm_up()
    assert any("cannot be reached" in line for line in lines)


def test_warming_up_has_an_end_and_says_what_is_missing():
    world = World()
    world.query_state = "warming"
    drill, _ = drill_in(world, warm_up_within=5)
    with pytest.raises(WatchkeeperError, match="anomaly query response_time is warming"):
        drill.warm_up()


def test_the_json_report_is_a_list_with_the_contracts_fields():
    outcome = drill_in(World())[0].run("dead-worker", fault(), quiet_seconds=0)
    (row,) = json.loads(as_json([outcome]))
    assert set(row) >= {"fault", "detected_by", "seconds_to_detect", "action",
                        "seconds_to_recover", "recovered", "quiet_false_alarms"}  # fmt: skip
    assert row["recovered"] is True


def test_an_unknown_fault_is_refused_with_the_known_ones():
    plan = GamedayPlan(faults={"dead-worker": fault()})
    with pytest.raises(ConfigError, match="expected one of dead-worker"):
        plan.chosen(("dead-wroker",))


def test_a_step_does_exactly_one_thing(tmp_path):
    path = tmp_path / "gameday.yml"
    path.write_text(
        "faults:\n  x:\n    description: y\n    alerts: [A]\n"
        "    inject: {kill: worker, url: 'http://a/'}\n"
    )
    with pytest.raises(ConfigError, match=r"gameday.yml:5: faults.x.inject: expected exactly one"):
        load_plan(path)
