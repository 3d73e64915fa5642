"""A process is given the secrets that its own files name, and no others'."""

import os

import pytest

from tests.supervisor.stacks import RunningSupervisor
from tests.waiting import wait_until
from watchkeeper.supervisor.entrusted import secrets_named_in, withheld
from watchkeeper.supervisor.settings import ProcessSettings
from watchkeeper.supervisor.stack import Place, Stack

NAMED = {"alerting.yml": frozenset({"SLACK", "SHARED"}), "agent.yml": frozenset({"SHARED", "DB"})}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("receivers: [{webhook_url: {env: SLACK}}]", {"SLACK"}),
        ("a: {env: ONE, optional: true}\nb: {env: TWO}", {"ONE", "TWO"}),
        ("labels: {env: production, region: eu}", set()),
        ("secret: {file: /x}", set()),
        ("a: &a {env: ONE}\nb: *a", {"ONE"}),
        ("a: &a [*a]", set()),
        ("? [a, b]\n: 1", set()),
        ("", set()),
        ("a: [", set()),
    ],
)
def test_the_secrets_a_file_names_are_found(tmp_path, text, expected):
    (tmp_path / "x.yml").write_text(text)
    assert secrets_named_in(tmp_path / "x.yml") == expected


def test_a_file_that_is_not_there_names_none(tmp_path):
    assert secrets_named_in(tmp_path / "x.yml") == frozenset()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["--config", "{config:alerting.yml}"], {"DB"}),
        (["--config={config:agent.yml}"], {"SLACK"}),
        (["{config:agent.yml}", "{config:alerting.yml}"], set()),
        (["prometheus"], {"SLACK", "SHARED", "DB"}),
    ],
)
def test_secrets_of_files_a_process_does_not_read_are_withheld(command, expected):
    assert withheld(command, NAMED) == expected


def test_a_stack_withholds_what_the_files_in_force_name(tmp_path):
    (tmp_path / "alerting.yml").write_text("receivers: [{webhook_url: {env: SLACK}}]")
    one = ProcessSettings(command=["a", "{config:alerting.yml}"], port=1)
    other = ProcessSettings(command=["b"], port=2)
    stack = Stack({"one": one, "other": other}, Place(tmp_path, config_dir=tmp_path))
    assert "SLACK" not in stack.launch("one", 1).withheld
    assert "SLACK" in stack.launch("other", 1).withheld


def test_a_child_never_sees_what_is_withheld(tmp_path, monkeypatch):
    config = tmp_path / "config"
    config.mkdir()
    (config / "alerting.yml").write_text("receivers: [{webhook_url: {env: SLACK}}]")
    monkeypatch.setenv("SLACK", "https://hooks/secret")
    monkeypatch.setenv("NOT_SECRET", "plain")
    code = "import os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(repr(dict(os.environ)))"
    written = {name: tmp_path / name for name in ("alerting", "prometheus")}
    commands = {
        "alerting": ["{python}", "-c", code, str(written["alerting"]), "{config:alerting.yml}"],
        "prometheus": ["{python}", "-c", code, str(written["prometheus"])],
    }
    processes = {name: {"command": one, "port": 1 + at} for at, (name, one) in
                 enumerate(commands.items())}  # fmt: skip
    with RunningSupervisor(tmp_path / "data", config_dir=config, **processes).running():
        wait_until(
            lambda: all(path.exists() and path.read_text().endswith("}") for path in
                        written.values()),
            what="both were told",
        )  # fmt: skip
    assert "hooks/secret" in written["alerting"].read_text()
    assert "hooks/secret" not in written["prometheus"].read_text()
    assert "NOT_SECRET" in written["prometheus"].read_text()
    assert os.environ["SLACK"] == "https://hooks/secret"
