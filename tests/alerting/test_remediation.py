"""From a firing alert to a verified fix, and every way it can go wrong in between."""

from __future__ import annotations

import json

from alerting import action_call, actions, kill_switch
from tests.alerting.desk import START
from tests.alerting.loopback import Reply, as_json, is_signed
from watchkeeper.storage import writing


def test_a_dead_worker_is_restarted_and_the_effect_is_verified(desk, endpoint, slack):
    desk.fire()
    desk.act()
    desk.pass_time(20)
    assert desk.kinds() == [
        "detected",
        "action-proposed",
        "action-dispatched",
        "action-completed",
        "notified",
        "verified",
        "notified",
    ]
    [action] = desk.actions()
    assert action["state"] == "succeeded"
    assert len(endpoint.effects) == 1


def test_the_call_is_signed_and_says_what_the_contract_asks_for(desk, endpoint):
    desk.fire()
    desk.act()
    [call] = endpoint.calls
    assert is_signed(call)
    data = call.json["data"]
    assert call.json["type"] == "remediation.action"
    assert (data["action"], data["target"]) == ("restart-service", "worker")
    assert data["incident"]["id"] == desk.incident()["id"]
    assert data["incident"]["url"] == f"http://console.example/incidents/{desk.incident()['id']}"
    assert data["alerts"][0]["labels"]["alertname"] == "WorkerDead"
    assert call.headers["webhook-id"] == data["idempotency_key"]
    assert data["expires_at"] == "2026-01-05T09:02:00.000Z"
    assert data["fencing_token"] > 0
    assert data["dry_run"] is False


def test_the_intent_is_on_disk_before_the_call_leaves(desk, endpoint):
    seen = []

    def look(_request):
        seen.append(desk.actions()[0]["state"])
        return as_json({"state": "accepted"}, 202)

    endpoint.answer = look
    desk.fire()
    desk.act()
    assert seen[0] == "dispatched"


def test_a_lost_answer_is_asked_about_and_the_action_never_runs_twice(desk, endpoint):
    endpoint.lose_answers = 1
    desk.fire()
    desk.act()
    desk.pass_time(20)
    assert len(endpoint.calls) == 1
    assert len(endpoint.effects) == 1
    assert "action-unknown" in desk.kinds()
    assert desk.actions()[0]["state"] == "succeeded"


def test_a_call_the_endpoint_never_got_is_sent_again_under_the_same_key(desk, endpoint):
    endpoint.drop_calls = 1
    desk.fire()
    desk.pass_time(20)
    first, second = endpoint.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert len(endpoint.effects) == 1


def test_without_deduplication_at_the_endpoint_a_lost_call_is_never_repeated(
    make_desk, endpoint, prometheus, slack
):
    desk = make_desk(deduplicates=False)
    prometheus.value = 0
    endpoint.drop_calls = 1
    desk.fire()
    desk.pass_time(90)
    assert len(endpoint.calls) == 1
    [action] = desk.actions()
    assert action["state"] == "unknown"
    assert any(line.startswith("🚨") for line in slack.headlines)


def test_an_endpoint_that_cannot_be_reached_is_tried_until_the_call_expires(make_desk, slack):
    desk = make_desk(rules={"attempts: 2": "attempts: 1"})
    settings = desk.rules_file.read_text().replace(
        desk.configuration.remediation.endpoints["local"].url, "http://127.0.0.1:1"
    )
    desk.rules_file.write_text(settings)
    desk.configuration.reload_if_changed()
    desk.fire()
    desk.pass_time(130)
    [action] = desk.actions()
    assert action["state"] == "failed"
    assert "could not be sent in time" in action["summary"]


def test_an_endpoint_that_refuses_ends_the_action_and_calls_a_person(make_desk, endpoint, slack):
    desk = make_desk(rules={"attempts: 2": "attempts: 1"})
    endpoint.answer = lambda _request: Reply(422, b"unknown target")
    desk.fire()
    desk.pass_time(5)
    assert desk.actions()[0]["state"] == "failed"
    assert "unknown target" in desk.story()
    assert slack.headlines[-1].startswith("🚨")


def test_an_action_that_did_not_help_is_repeated_after_the_cooldown_and_then_a_person_is_called(
    desk, endpoint, prometheus, slack
):
    prometheus.value = 0
    desk.fire()
    desk.pass_time(260, step_seconds=5)
    first, second = desk.actions()
    assert (first["state"], second["state"]) == ("unverified", "unverified")
    assert second["dispatched_at"] >= "2026-01-05T09:01:00"
    assert len(endpoint.effects) == 2
    assert slack.headlines[-1].startswith("🚨")


def test_an_interrupted_action_is_judged_by_the_data(desk, endpoint, prometheus):
    endpoint.becomes = "interrupted"
    desk.fire()
    desk.pass_time(20)
    assert "action-unknown" in desk.kinds()
    assert desk.actions()[0]["state"] == "succeeded"


def test_an_endpoint_that_never_finishes_is_judged_by_the_data(desk, endpoint, prometheus):
    endpoint.becomes = "running"
    prometheus.value = 0
    desk.fire()
    desk.pass_time(200, step_seconds=5)
    assert desk.actions()[0]["state"] == "unknown"
    assert len(endpoint.calls) == 1


def test_observe_mode_renders_the_exact_bytes_and_sends_nothing(make_desk, endpoint):
    desk = make_desk(rules={"mode: auto": "mode: observe"})
    desk.fire()
    desk.pass_time(5)
    assert endpoint.requests == []
    [entry] = [e for e in desk.incident()["timeline"] if e["kind"] == "action-proposed"]
    body = json.loads(entry["detail"]["body"])
    assert body["data"]["action"] == "restart-service"
    assert "would have been done" in entry["text"]
    assert desk.actions()[0]["state"] == "observed"


def test_a_hundred_alerts_for_one_target_cause_one_action(desk, endpoint):
    for number in range(100):
        desk.fire("WorkerDead", replica=str(number))
    desk.pass_time(10)
    assert len(desk.actions()) == 1
    assert len(endpoint.effects) == 1


def test_the_kill_switch_between_claim_and_call_stops_the_call(desk, endpoint):
    desk.fire()
    assert desk.remediator.step()  # claimed
    with writing(desk.store.engine) as connection:
        kill_switch.pause(connection, reason="fire drill", by="ana", now=desk.clock.now())
    desk.pass_time(30)
    assert endpoint.requests == []
    assert "all actions are paused: fire drill" in desk.story()
    with writing(desk.store.engine) as connection:
        kill_switch.resume(connection, reason="", by="ana", now=desk.clock.now())
    desk.pass_time(10)
    assert len(endpoint.effects) == 1


def test_a_restart_inside_a_cooldown_is_still_cooling(desk, endpoint):
    desk.fire()
    desk.pass_time(15)
    desk.resolve()
    desk.close()
    desk.open()
    desk.fire()
    desk.pass_time(20)
    assert len(endpoint.effects) == 1
    desk.pass_time(40)
    assert len(endpoint.effects) == 2


def test_an_action_nobody_needs_any_more_is_not_done(desk, endpoint):
    desk.fire()
    desk.clock.advance(1)
    desk.resolve()
    desk.pass_time(5)
    assert endpoint.requests == []
    assert desk.actions()[0]["denied_by"] == ["not_needed"]


def test_without_a_signing_secret_nothing_is_sent(make_desk, endpoint, monkeypatch):
    monkeypatch.delenv("TEST_SECRET")
    desk = make_desk()
    desk.fire()
    desk.pass_time(5)
    assert endpoint.requests == []
    assert desk.actions()[0]["denied_by"] == ["unsigned"]


def test_an_alert_without_the_label_a_rule_needs_is_told_and_not_acted_on(desk, endpoint):
    desk.fire("WorkerDead", process="")
    desk.pass_time(5)
    assert endpoint.requests == []
    assert "the alert has no label process" in desk.story()


def test_a_call_that_may_have_left_before_a_crash_is_asked_about_first(desk, endpoint):
    desk.fire()
    desk.remediator.step()
    # As after a SIGKILL between the commit of the dispatch and the answer.
    with writing(desk.store.engine) as connection:
        action = actions.take_due(connection, now=desk.clock.now())
        actions.settle(connection, action, keep_lease=True, state="dispatched", dispatched_at=START)
    desk.close()
    desk.open()
    desk.act()
    assert [request.method for request in endpoint.requests][:1] == ["GET"]
    desk.pass_time(15)
    assert len(endpoint.effects) == 1


def test_a_call_whose_answer_a_crash_took_is_told_as_dispatched_before_it_is_told_as_done(
    desk, endpoint
):
    desk.fire()
    desk.remediator.step()
    with writing(desk.store.engine) as connection:
        action = actions.take_due(connection, now=desk.clock.now())
        actions.settle(connection, action, keep_lease=True, state="dispatched", dispatched_at=START)
    [settings] = desk.remediator._configuration.remediation.endpoints.values()
    policy = desk.remediator._configuration.alerting.egress.policy
    action_call.call(settings, action, policy=policy, now=desk.clock.now())
    desk.close()
    desk.open()
    desk.act()
    assert [kind for kind in desk.kinds() if kind.startswith("action-")] == [
        "action-proposed",
        "action-dispatched",
        "action-completed",
    ]
    assert len(endpoint.effects) == 1
