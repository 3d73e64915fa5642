"""Whoever has a token may do what its role says, and does it under the token's name."""

from __future__ import annotations

import pytest

from alerting.access import ROLES
from watchkeeper import addresses, tokens
from watchkeeper.clock import SystemClock
from watchkeeper.roles import LOOKING_METHODS, Role

OWN = {"/metrics", "/healthz", "/readyz", "/static/<path:filename>"}


@pytest.fixture
def bearer(alerting):
    def make(role: Role) -> dict[str, str]:
        path = addresses.named_tokens_file()
        token = tokens.add(path, f"the-{role}", role, now=SystemClock().now())
        return {"Authorization": f"Bearer {token}"}

    return make


def test_the_table_names_every_endpoint_and_no_other(alerting):
    served = {
        (method, rule.rule)
        for rule in alerting.service.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule not in OWN
    }
    assert served == set(ROLES)


def test_looking_changes_nothing_and_everything_else_needs_more_than_a_look():
    assert {role for (method, _), role in ROLES.items() if method in LOOKING_METHODS} == {
        Role.VIEWER
    }
    assert Role.VIEWER not in {r for (method, _), r in ROLES.items() if method == "POST"}


def test_a_viewer_looks_and_changes_nothing(client, bearer):
    viewer = bearer(Role.VIEWER)
    assert client.get("/api/v1/incidents", headers=viewer).status_code == 200
    for method, rule in ROLES:
        if method not in LOOKING_METHODS:
            answer = client.open(rule, method=method, json={"by": "root"}, headers=viewer)
            assert answer.status_code == 403
            assert "the-viewer is viewer" in answer.json["error"]["message"]
    assert client.get("/api/v1/audit").json["audit"] == []


def test_an_operator_stops_actions_under_the_tokens_name_whatever_the_body_claims(client, bearer):
    answer = client.post(
        "/api/v1/pause", json={"reason": "drill", "by": "ben"}, headers=bearer(Role.OPERATOR)
    )
    assert answer.json["by"] == "the-operator"
    assert client.get("/api/v1/audit").json["audit"][0]["actor"] == "the-operator"


def test_a_mode_is_an_admins_to_switch(client, bearer):
    def switch(role: Role) -> int:
        path = "/api/v1/rules/restart/mode"
        return client.post(path, json={"mode": "off"}, headers=bearer(role)).status_code

    assert switch(Role.OPERATOR) == 403
    assert switch(Role.ADMIN) == 200


def test_a_silence_is_in_the_name_of_the_token(client, bearer):
    silence = {
        "matchers": [{"name": "a", "value": "b", "isRegex": False}],
        "startsAt": "2026-01-05T09:00:00Z", "endsAt": "2026-01-05T10:00:00Z",
        "createdBy": "somebody else", "comment": "x",
    }  # fmt: skip
    client.post("/api/v2/silences", json=silence, headers=bearer(Role.OPERATOR))
    assert client.get("/api/v2/silences").json[0]["createdBy"] == "the-operator"


@pytest.fixture
def stack_token(tmp_path, monkeypatch):
    """The services of this stack share a token."""
    (tmp_path / "api-token").write_text("of-the-stack")
    monkeypatch.setenv("WATCHKEEPER_API_TOKEN_FILE", str(tmp_path / "api-token"))
    return {"Authorization": "Bearer of-the-stack"}


DEEDS = {
    "/api/v1/pause": {"reason": "drill"},
    "/api/v1/resume": {},
    "/api/v1/rules/restart/mode": {"mode": "off"},
    "/api/v1/incidents/ID/notes": {"text": "a disk"},
}


def recorded(client, headers, said) -> list[tuple[str, str]]:
    """Do something of each kind; return who it was and what spoke for it, as the audit has it."""
    alert = {"labels": {"alertname": "Other"}}
    assert client.post("/api/v2/alerts", json=[alert], headers=headers).status_code == 200
    [incident] = client.get("/api/v1/incidents", headers=headers).json["incidents"]
    for path, more in DEEDS.items():
        answer = client.post(
            path.replace("ID", incident["id"]), json={**more, **said}, headers=headers
        )
        assert answer.status_code == 200, answer.json
    entries = client.get("/api/v1/audit", headers=headers).json["audit"]
    path = f"/api/v1/incidents/{incident['id']}"
    story = client.get(path, headers=headers).json["timeline"]
    noted = next(entry["detail"] for entry in story if entry["kind"] == "noted")
    told = [(e["actor"], e["detail"].get("name_is")) for e in entries if "name_is" in e["detail"]]
    return [*told, (noted["by"], noted["name_is"])]


@pytest.mark.parametrize("said", [{"by": "ana"}, {"by": "ana", "by_is": "session"}])
def test_a_name_that_anybody_could_have_typed_is_told_from_a_proven_one(client, said):
    assert recorded(client, {}, said) == [("ana", "typed")] * (len(DEEDS) + 1)


def test_a_name_of_a_token_is_recorded_as_proven_whatever_the_body_says(client, bearer):
    said = {"by": "ben", "by_is": "typed"}
    proven = [("the-admin", "token")] * (len(DEEDS) + 1)
    assert recorded(client, bearer(Role.ADMIN), said) == proven


def test_who_shows_the_stacks_token_may_vouch_for_a_session(stack_token, client):
    vouched = {"by": "ana", "by_is": "session"}
    assert recorded(client, stack_token, vouched) == [("ana", "session")] * (len(DEEDS) + 1)


def test_who_shows_the_stacks_token_and_vouches_for_nobody_has_typed_a_name(stack_token, client):
    typed = [("ana", "typed")] * (len(DEEDS) + 1)
    assert recorded(client, stack_token, {"by": "ana"}) == typed


def test_what_should_speak_for_a_name_is_one_of_three(client):
    answer = client.post("/api/v1/pause", json={"reason": "drill", "by": "ana", "by_is": "oath"})
    assert answer.status_code == 400
    assert "by_is" in answer.json["error"]["message"]
