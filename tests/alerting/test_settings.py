"""A mistake in a file is named by file, line, key and expectation, and changes nothing in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerting.remediation_rules import Mode, RemediationSettings
from alerting.settings import AlertingSettings
from tests.alerting.desk import ALERTING, RULES
from watchkeeper.configuration import load
from watchkeeper.errors import ConfigError

ROOT = Path(__file__).parents[2]
RULES_TEXT = RULES.replace("DEDUPLICATES", "true")


def problem_of(tmp_path: Path, text: str, model) -> str:
    file = tmp_path / "bad.yml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, model)
    problem = caught.value.problems[0]
    return str(problem).removeprefix(f"{tmp_path}/")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("kind: slack", "kind: pigeon", "bad.yml:6: receivers[0]: Input tag 'pigeon'"),
        ("webhook_url: {env: TEST_SLACK_URL, optional: true}", "webhook_url: {env: NOT_SET}",
         "bad.yml:6: receivers[0].webhook_url: environment variable NOT_SET is not set"),
        ("webhook_url: {env: TEST_SLACK_URL, optional: true}", "webhook_url: https://x",
         "bad.yml:6: receivers[0].webhook_url: a secret is not written in the file"),
        ("update_interval: 30s", "update_interval: soon",
         "bad.yml:2: update_interval: expected a duration"),
        ("update_interval: 30s", "update_intervall: 30s",
         "bad.yml:2: update_intervall: unknown key"),
        ("{receivers: [slack]}", "{receivers: [nobody]}",
         "bad.yml:7: route.receivers[0]: no receiver nobody; receivers here: slack"),
    ],
)  # fmt: skip
def test_a_mistake_in_alerting_yml_is_named(tmp_path, old, new, problem):
    assert old in ALERTING
    assert problem_of(tmp_path, ALERTING.replace(old, new), AlertingSettings).startswith(problem)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("mode: auto", "mode: always", "bad.yml:14: rules[0].mode: "),
        ("endpoint: local", "endpoint: remote",
         "bad.yml:13: rules[0].endpoint: no endpoint remote; endpoints here: local"),
        ("""['alertname="WorkerDead"']""", "[alertname]",
         "bad.yml:10: rules[0].match[0]: expected a matcher"),
        (", above: 0", "", "bad.yml:18: rules[0].verification.checks[0]: expected above or below"),
        ("deadline: 60s", "deadline: 5s", "bad.yml:17: rules[0].verification: deadline of 5 s"),
    ],
)  # fmt: skip
def test_a_mistake_in_remediation_yml_is_named(tmp_path, monkeypatch, old, new, problem):
    assert old in RULES_TEXT
    found = problem_of(tmp_path, RULES_TEXT.replace(old, new), RemediationSettings)
    assert found.startswith(problem)


def test_auto_without_a_verification_is_refused(tmp_path):
    text = RULES_TEXT[: RULES_TEXT.index("    verification:")]
    assert "mode auto needs a verification" in problem_of(tmp_path, text, RemediationSettings)


def test_a_bare_off_is_the_mode_off(tmp_path):
    file = tmp_path / "rules.yml"
    file.write_text(RULES_TEXT.replace("mode: auto", "mode: off"))
    assert load(file, RemediationSettings).rules[0].mode is Mode.OFF


def test_every_shipped_rule_only_observes():
    shipped = load(ROOT / "alerting/remediation.yml", RemediationSettings)
    assert {rule.mode for rule in shipped.rules} == {Mode.OBSERVE}


def test_the_demo_s_files_can_be_used():
    directory = ROOT / "examples/taskboard/config"
    assert load(directory / "alerting.yml", AlertingSettings).receivers
    assert load(directory / "remediation.yml", RemediationSettings).rules


def test_a_bad_edit_leaves_the_old_configuration_in_force_and_shows(desk):
    desk.rules_file.write_text("rules: 7")
    desk.configuration.reload_if_changed()
    assert desk.configuration.remediation.rules[0].name == "restart"
    value = desk.registry.get_sample_value(
        "watchkeeper_config_last_reload_successful", {"file": "remediation.yml"}
    )
    assert value == 0


def test_no_secret_shows_in_settings_or_errors(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_SLACK_URL", "https://hooks.example/very-secret")
    file = tmp_path / "alerting.yml"
    file.write_text(ALERTING)
    assert "very-secret" not in repr(load(file, AlertingSettings))
    file.write_text(ALERTING.replace("kind: slack", "kind: slack, extra: 1"))
    with pytest.raises(ConfigError) as caught:
        load(file, AlertingSettings)
    assert "very-secret" not in str(caught.value)
