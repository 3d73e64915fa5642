"""A person stops everything, one rule or one target, for good or for a time, at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from alerting import actions, kill_switch, tables
from alerting.kill_switch import EVERYTHING, Kind, Scope
from tests.alerting.desk import START
from watchkeeper.errors import StorageError
from watchkeeper.storage import migrate, open_database, reading, writing

TWO_RULES = {
    "rules:\n": """rules:
  - name: rotate
    match: ['alertname="DiskFull"']
    action: run-command
    target: "{{ labels.process }}"
    endpoint: local
    mode: auto
    verification: {checks: [{query: 'tasks', above: 0, fresh: tasks}]}
"""
}
RESTART, WORKER = Scope(Kind.RULE, "restart"), Scope(Kind.TARGET, "worker")


def acted_on(endpoint) -> list[str]:
    return sorted(f"{call.json['data']['action']} {call.json['data']['target']}"
                  for call in endpoint.calls)  # fmt: skip


def test_a_paused_rule_does_not_act_and_the_others_do(make_desk, endpoint):
    desk = make_desk(rules=TWO_RULES)
    desk.pause(RESTART)
    desk.fire("WorkerDead", process="worker")
    desk.fire("DiskFull", process="disk")
    desk.pass_time(10)
    assert acted_on(endpoint) == ["run-command disk"]
    assert "restart-service on worker: rule restart is paused: drill" in desk.story()


def test_a_paused_target_is_left_alone_and_others_are_not(desk, endpoint):
    desk.pause(WORKER)
    desk.fire("WorkerDead", process="worker")
    desk.fire("WorkerDead", process="other")
    desk.pass_time(10)
    assert acted_on(endpoint) == ["restart-service other"]
    assert "target worker is paused: drill" in desk.story()


@pytest.mark.parametrize("scope", [EVERYTHING, RESTART, WORKER])
def test_a_pause_between_claim_and_call_stops_the_call(desk, endpoint, scope):
    desk.fire()
    assert desk.remediator.step()  # claimed
    assert desk.actions()[0]["state"] == "claimed"
    desk.pause(scope)
    desk.pass_time(10)
    assert endpoint.requests == []
    desk.resume(scope)
    desk.pass_time(10)
    assert acted_on(endpoint) == ["restart-service worker"]


@pytest.mark.parametrize("scope", [EVERYTHING, RESTART, WORKER])
def test_a_pause_for_a_time_ends_by_itself_also_after_a_restart(desk, endpoint, scope):
    desk.pause(scope, seconds=60)
    desk.close()
    desk.open()
    desk.fire()
    desk.pass_time(55, step_seconds=5)
    assert endpoint.requests == []
    assert "paused until 2026-01-05T09:01:00.000Z: drill" in desk.story()
    desk.pass_time(15, step_seconds=5)
    assert acted_on(endpoint) == ["restart-service worker"]


def test_a_waiting_action_that_is_approved_still_heeds_the_pause(make_desk, endpoint):
    desk = make_desk(rules={"mode: auto": "mode: approve"})
    desk.fire()
    desk.pause(WORKER)
    desk.approve()
    desk.pass_time(10)
    assert endpoint.requests == []
    assert desk.actions()[0]["denied_by"] == ["paused"]


def pause(client, **body):
    return client.post("/api/v1/pause", json={"reason": "drill", "by": "ana", **body})


def test_who_paused_what_why_and_until_when_is_told(client):
    status = pause(client, rule="restart", duration="2h").json
    assert status["paused"] is False
    [one] = status["pauses"]
    assert one == {
        "scope": "rule", "name": "restart", "reason": "drill", "by": "ana",
        "since": "2026-01-05T09:00:00.000Z", "until": "2026-01-05T11:00:00.000Z",
    }  # fmt: skip
    assert client.get("/api/v1/rules").json["rules"][0]["pause"] == one
    assert client.get("/api/v1/status").json == status
    assert 'watchkeeper_action_pauses{scope="rule"} 1.0' in client.get("/metrics").text


def test_every_pause_and_resumption_is_in_the_audit(client):
    pause(client, target="worker")
    client.post("/api/v1/resume", json={"target": "worker", "by": "ben", "reason": "done"})
    resumed, paused = client.get("/api/v1/audit").json["audit"]
    assert (paused["event"], paused["subject"], paused["actor"]) == (
        "paused", "target:worker", "ana",
    )  # fmt: skip
    assert paused["detail"] == {"reason": "drill", "until": None, "name_is": "typed"}
    assert (resumed["event"], resumed["subject"], resumed["actor"]) == (
        "resumed", "target:worker", "ben",
    )  # fmt: skip


def test_releasing_one_leaves_the_others_paused(client):
    for scope in ({}, {"rule": "restart"}, {"target": "worker"}):
        pause(client, **scope)
    status = client.post("/api/v1/resume", json={"by": "ana"}).json
    assert status["paused"] is False
    assert [one["scope"] for one in status["pauses"]] == ["rule", "target"]


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"rule": "restrat"}, 404, "no rule restrat: nothing was paused"),
        ({"rule": "restart", "target": "worker"}, 400, "a rule or a target, not both"),
        ({"ruel": "restart"}, 400, "ruel: unknown key"),
        ({"target": " "}, 400, "target: expected"),
        ({"duration": "soon"}, 400, "duration: expected"),
        ({"duration": 0}, 400, "more than 0"),
        ({"duration": "91d"}, 400, "at most 7776000"),
    ],
)
def test_what_is_mistyped_pauses_nothing_and_says_so(client, body, status, told):
    answer = pause(client, **body)
    assert answer.status_code == status
    assert told in answer.json["error"]["message"]
    assert client.get("/api/v1/status").json["pauses"] == []


def test_what_is_mistyped_releases_nothing(client):
    pause(client)
    assert client.post("/api/v1/resume", json={"ruel": "restart"}).status_code == 400
    assert client.get("/api/v1/status").json["paused"] is True


SCOPES = st.sampled_from(
    [EVERYTHING, *(Scope(kind, name) for kind in (Kind.RULE, Kind.TARGET) for name in "ab:")]
)
DEEDS = st.lists(
    st.tuples(SCOPES, st.sampled_from(["pause", "resume", 5, 50]), st.integers(0, 30)), max_size=12
)


@given(DEEDS)
def test_an_action_is_stopped_exactly_while_a_scope_of_it_is_paused(deeds):
    engine = open_database("sqlite:///:memory:")
    migrate(engine, tables.MIGRATIONS)
    model, now = {}, START
    for scope, word, later_seconds in deeds:
        now += timedelta(seconds=later_seconds)
        with writing(engine) as connection:
            if word == "resume":
                model.pop(scope, None)
                kill_switch.resume(connection, reason="", by="ana", now=now, scope=scope)
                continue
            until = None if word == "pause" else now + timedelta(seconds=word)
            model[scope] = until
            kill_switch.pause(connection, reason="", by="ana", now=now, scope=scope, until=until)
    holding = {scope for scope, until in model.items() if until is None or until > now}
    with reading(engine) as connection:
        assert {one.scope for one in kill_switch.in_force(connection, now=now)} == holding
        for rule in "ab:":
            for target in "ab:":
                ours = [EVERYTHING, Scope(Kind.RULE, rule), Scope(Kind.TARGET, target)]
                widest = next((scope for scope in ours if scope in holding), None)
                found = kill_switch.stopping(connection, ours, now=now)
                assert (found.scope if found else None) == widest
    engine.dispose()


def test_a_refusal_is_counted_when_it_is_on_disk_and_then_once(desk):
    """As when the database ends the session of a process that was stopped while it refused."""
    commits = []

    def fail_the_second(_connection):
        commits.append("lease" if not commits else "refusal")
        if commits[-1] == "refusal":
            raise sa.exc.OperationalError("COMMIT", {}, Exception("session ended"))

    def counted():
        labels = {"rule": "restart", "guard": "paused"}
        return desk.registry.get_sample_value("watchkeeper_action_denials_total", labels) or 0

    desk.pause()
    desk.fire()
    sa.event.listen(desk.store.engine, "commit", fail_the_second)
    with pytest.raises(StorageError):
        desk.remediator.step()
    sa.event.remove(desk.store.engine, "commit", fail_the_second)
    assert commits == ["lease", "refusal"]
    assert counted() == 0
    desk.clock.advance(actions.LEASE_SECONDS)
    desk.remediator.step()
    assert counted() == 1
