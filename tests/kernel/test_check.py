"""`watchkeeper check` finds every mistake in every file, and says where it is."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from watchkeeper.check import FILES, check, config_file, problems_in
from watchkeeper.supervisor import secrets

DEMO = Path(__file__).resolve().parents[2] / "examples" / "taskboard" / "config"

WITH_SECRETS = {
    "agent.yml": "postgres:\n  - {host: db, user: watcher, password: {file: /nonexistent}}\n",
    "alerting.yml": "receivers:\n  - {name: s, kind: slack, webhook_url: {file: /nonexistent}}\n",
    "endpoint.yml": "signing_secret: {file: /nonexistent}\n",
    "remediation.yml": (
        "endpoints:\n  x: {url: 'http://a/', signing_secret: {file: /nonexistent}}\n"
    ),
}
"""Every file whose model knows a secret, with one that cannot be read."""


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("WATCHKEEPER_DATA_DIR", str(tmp_path / "var"))
    secrets.ensure(tmp_path / "var")
    return tmp_path / "var"


def config_dir_with(tmp_path, name, text):
    directory = tmp_path / "config"
    directory.mkdir()
    (directory / name).write_text(text)
    return directory


def first_key(name):
    shipped = yaml.safe_load(config_file(name, DEMO).read_text()) or {}
    return next(iter(shipped), None)


@pytest.mark.parametrize("directory", [None, DEMO], ids=["shipped", "demo"])
def test_what_we_ship_is_valid(directory):
    assert problems_in(directory) == []


def test_the_command_says_which_file_is_in_force():
    result = CliRunner().invoke(check, ["--config-dir", str(DEMO)])
    assert result.exit_code == 0
    assert result.output.count("ok  ") == len(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_key_is_named_in_every_file(tmp_path, name):
    directory = config_dir_with(tmp_path, name, "# a comment\nno_such_key: 1\n")
    (problem,) = [found for found in problems_in(directory) if found.key == "no_such_key"]
    assert (problem.file, problem.line) == (str(directory / name), 2)
    assert "unknown key" in problem.message


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_type_is_named_in_every_file(tmp_path, name):
    key = first_key(name)
    if key is None:
        pytest.fail(f"the demo's {name} shows no key to test with")
    directory = config_dir_with(tmp_path, name, f"\n{key}: [[wrong]]\n")
    found = [problem for problem in problems_in(directory) if problem.key.startswith(key)]
    assert found, problems_in(directory)
    assert found[0].line == 2


@pytest.mark.parametrize("name", WITH_SECRETS)
def test_an_unreadable_secret_is_named_in_every_file_that_has_one(tmp_path, name):
    directory = config_dir_with(tmp_path, name, WITH_SECRETS[name])
    found = [p for p in problems_in(directory) if "/nonexistent does not exist" in p.message]
    assert found, problems_in(directory)
    assert found[0].line >= 1


def test_a_file_no_part_reads_is_a_problem(tmp_path):
    directory = config_dir_with(tmp_path, "alertmanager.yml", "")
    (problem,) = problems_in(directory)
    assert "no part reads this file" in problem.message


SHOP = "processes:\n  shop:\n    command: ['{python}']\n"


@pytest.mark.parametrize(
    ("text", "line", "key", "message"),
    [
        (SHOP + "    port: 5000\n    after: [nobody]\n", 5, "shop.after", "no process 'nobody'"),
        (SHOP + "    port: 8301\n", 4, "shop.port", "port 8301 is also that of agent"),
        (SHOP + "    port: 5000\n    after: [shop]\n", 5, "shop.after", "wait for each other"),
        (SHOP + "    port: 5000\n    environment: {A: '{port:nobody}'}\n", 5, "shop.environment.A",
         "{port:nobody} stands for nothing"),
        (SHOP + "    port: 5000\n    instances: 1\n" + "environment:\n  B: '{colour}'\n", 7,
         None, "{colour} stands for nothing"),
    ],
)  # fmt: skip
def test_processes_that_do_not_fit_together_are_named(tmp_path, text, line, key, message):
    directory = config_dir_with(tmp_path, "stack.yml", text)
    (problem,) = problems_in(directory)
    assert (problem.file, problem.line) == (str(directory / "stack.yml"), line)
    assert problem.key == ("environment.B" if key is None else f"processes.{key}")
    assert message in problem.message


def test_checking_writes_nothing_where_no_stack_has_run(tmp_path, monkeypatch):
    monkeypatch.setenv("WATCHKEEPER_DATA_DIR", str(tmp_path / "never-used"))
    result = CliRunner().invoke(check, ["--config-dir", str(DEMO)])
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "never-used").exists()


def test_problems_make_the_command_fail(tmp_path):
    directory = config_dir_with(tmp_path, "agent.yml", "no_such_key: 1\n")
    result = CliRunner().invoke(check, ["--config-dir", str(directory)])
    assert result.exit_code == 2
    assert "agent.yml:1: no_such_key: unknown key" in result.output
