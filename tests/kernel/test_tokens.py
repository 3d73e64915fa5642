"""Tokens of people: named, with a role, worth nothing to who reads the file or after removal."""

from __future__ import annotations

import stat

import pytest
from click.testing import CliRunner

from watchkeeper import tokens
from watchkeeper.admission import Ask, Refusal, admit
from watchkeeper.cli import root
from watchkeeper.clock import SystemClock
from watchkeeper.errors import ConfigError, Refused
from watchkeeper.roles import STACK, THIS_MACHINE, Identity, Role
from watchkeeper.serving import Service, asker
from watchkeeper.tokens import TokenFile

NOW = SystemClock().now()


@pytest.fixture
def path(tmp_path, monkeypatch):
    path = tmp_path / "secrets" / "api-tokens.json"
    monkeypatch.setenv("WATCHKEEPER_API_TOKENS_FILE", str(path))
    return path


def ask(authorization: str, needed: Role = Role.VIEWER) -> Ask:
    return Ask("/api", "127.0.0.1:8303", authorization, "", needed)


def test_the_file_holds_no_token_and_is_its_owners_alone(path):
    token = tokens.add(path, "ana", Role.OPERATOR, now=NOW)
    assert token not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert TokenFile(path).identify(token) == Identity("ana", Role.OPERATOR, is_person=True)


def test_a_token_is_good_from_the_moment_it_is_made_until_it_is_removed(path):
    file = TokenFile(path)
    assert file.is_empty
    token = tokens.add(path, "ana", Role.VIEWER, now=NOW)
    assert file.identify(token).name == "ana"
    tokens.remove(path, "ana")
    assert file.identify(token) is None


def test_a_name_is_used_once_and_is_a_name(path):
    tokens.add(path, "ana", Role.VIEWER, now=NOW)
    for name in ("ana", "", "a b", "x" * 65):
        with pytest.raises(Refused):
            tokens.add(path, name, Role.VIEWER, now=NOW)
    with pytest.raises(Refused):
        tokens.remove(path, "ben")


@pytest.mark.parametrize("text", ["{", "[]", '{"tokens": [{"name": "x"}]}', '{"tokens": 3}'])
def test_a_file_that_is_no_list_of_tokens_is_named(path, text):
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ConfigError, match="list of tokens"):
        TokenFile(path)


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.VIEWER, {Role.VIEWER}),
        (Role.OPERATOR, {Role.VIEWER, Role.OPERATOR}),
        (Role.ADMIN, set(Role)),
    ],
)
def test_a_role_may_what_it_says_and_no_more(path, role, may):
    bearer = f"Bearer {tokens.add(path, 'ana', role, now=NOW)}"
    file = TokenFile(path)
    for needed in Role:
        answer = admit(ask(bearer, needed), token="s3cret", tokens=file)
        assert isinstance(answer, Identity) is (needed in may)
        assert needed in may or answer.status == 403


def test_the_stacks_own_token_goes_on_working_beside_them(path):
    tokens.add(path, "ana", Role.VIEWER, now=NOW)
    assert admit(ask("Bearer s3cret", Role.ADMIN), token="s3cret", tokens=TokenFile(path)) == STACK


def test_a_token_that_was_taken_away_does_not_make_its_owner_everybody_on_loopback(path):
    old = tokens.add(path, "ana", Role.VIEWER, now=NOW)
    tokens.add(path, "ben", Role.VIEWER, now=NOW)
    tokens.remove(path, "ana")
    file = TokenFile(path)
    refused = admit(ask(f"Bearer {old}"), token=None, tokens=file)
    assert isinstance(refused, Refusal)
    assert refused.status == 401
    assert admit(ask(""), token=None, tokens=file) == THIS_MACHINE


def test_a_service_asks_for_the_role_its_table_names(path):
    service = Service("test", import_name=__name__)

    @service.app.put("/things/<name>")
    def put_thing(name: str) -> str:
        return f"{name} by {asker().name}"

    service.roles = {("PUT", "/things/<name>"): Role.ADMIN}
    client = service.app.test_client()

    def put(role: Role):
        bearer = tokens.add(path, str(role), role, now=NOW)
        return client.put("/things/x", headers={"Authorization": f"Bearer {bearer}"})

    assert put(Role.OPERATOR).status_code == 403
    assert put(Role.ADMIN).text == "x by admin"


def test_the_command_adds_lists_and_removes(path):
    run = CliRunner().invoke
    made = run(root, ["token", "add", "ana", "--role", "operator"])
    assert TokenFile(path).identify(made.stdout.strip()).role is Role.OPERATOR
    assert run(root, ["token", "list"]).stdout.startswith("ana\toperator\t")
    run(root, ["token", "remove", "ana"])
    assert run(root, ["token", "list"]).stdout == ""
