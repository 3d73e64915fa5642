"""A person switches a rule's mode, at once and for good, until the file says something new."""

from __future__ import annotations

import pytest


def switch(client, mode: str, name: str = "restart", **body: str):
    return client.post(f"/api/v1/rules/{name}/mode", json={"mode": mode, "by": "ana", **body})


def rule(client):
    return client.get("/api/v1/rules").json["rules"][0]


def test_a_rule_says_how_far_it_goes_and_who_said_so(client):
    assert (rule(client)["mode"], rule(client)["switched_by"]) == ("auto", None)
    answer = switch(client, "observe", reason="too eager").json
    assert (answer["mode"], answer["configured_mode"]) == ("observe", "auto")
    assert (answer["switched_by"], answer["reason"]) == ("ana", "too eager")
    assert rule(client) == answer
    [entry] = client.get("/api/v1/audit").json["audit"]
    assert (entry["event"], entry["subject"], entry["actor"]) == ("mode", "rule:restart", "ana")
    told = {"from": "auto", "to": "observe", "reason": "too eager", "name_is": "typed"}
    assert entry["detail"] == told


@pytest.mark.parametrize("mode", ["", "on", "AUTO"])
def test_a_mode_that_does_not_exist_is_refused(client, mode):
    assert switch(client, mode).status_code == 400
    assert switch(client, "off", name="none").status_code == 404


def test_a_switched_rule_acts_as_it_was_told_also_after_a_restart(make_desk, endpoint):
    desk = make_desk()
    desk.switch_rule("restart", "observe")
    desk.close()
    desk.open()
    desk.fire()
    desk.pass_time(5)
    assert endpoint.requests == []
    assert desk.actions()[0]["state"] == "observed"


def test_a_rule_switched_off_between_plan_and_claim_does_not_act(desk, endpoint):
    desk.fire()
    desk.switch_rule("restart", "off")
    desk.pass_time(5)
    assert endpoint.requests == []
    assert desk.actions()[0]["denied_by"] == ["mode"]


def test_the_file_has_the_newest_word_once_its_mode_is_edited(desk):
    desk.switch_rule("restart", "off")
    assert desk.mode_of("restart") == "off"
    desk.rules_file.write_text(desk.rules_file.read_text().replace("mode: auto", "mode: approve"))
    desk.configuration.reload_if_changed()
    assert desk.mode_of("restart") == "approve"


def test_what_nothing_verifies_is_never_switched_to_act(client, alerting):
    text = alerting.configuration.remediation_path.read_text()
    head = text.partition("    verification:")[0].replace("mode: auto", "mode: observe")
    alerting.configuration.remediation_path.write_text(head)
    alerting.configuration.reload_if_changed()
    answer = switch(client, "auto")
    assert answer.status_code == 409
    assert "verification" in answer.json["error"]["message"]
