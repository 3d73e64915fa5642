"""What was configured for Alertmanager is said in our words, and what cannot be is told."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import yaml
from click.testing import CliRunner

from alerting.routing import receivers_for
from alerting.settings import AlertingSettings
from watchkeeper.cli import root

ALERTMANAGER = """
global: {resolve_timeout: 7m, slack_api_url: 'https://hooks.slack.com/services/T/B/secret'}
route:
  receiver: team
  group_by: [alertname, cluster]
  group_wait: 20s
  group_interval: 2m
  routes:
    - matchers: ['severity="critical"', 'service=~"pay|shop"']
      receiver: pager
      continue: true
      mute_time_intervals: [night]
      repeat_interval: 30m
    - match: {team: dba}
      match_re: {instance: 'db.*'}
      receiver: dba
receivers:
  - name: team
    slack_configs: [{channel: '#ops'}]
    email_configs: [{to: ops@example.com, from: wk@example.com, smarthost: 'mail.example:587'}]
  - name: pager
    pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]
  - name: dba
    webhook_configs: [{url: 'https://dba.example/hook'}]
    opsgenie_configs: [{api_key: x}]
inhibit_rules:
  - source_matchers: ['severity="critical"']
    target_match: {severity: warning}
    equal: [service]
time_intervals:
  - name: night
    time_intervals:
      - times: [{start_time: '22:00', end_time: '24:00'}]
        weekdays: ['monday:friday']
templates: ['x.tmpl']
"""


@pytest.fixture
def alertmanager_file(tmp_path):
    path = tmp_path / "alertmanager.yml"
    path.write_text(ALERTMANAGER)
    return path


def test_the_alertmanager_file_of_these_tests_is_one(alertmanager_file):
    amtool = shutil.which("amtool")
    assert amtool, "install the Debian package prometheus-alertmanager"
    subprocess.run([amtool, "check-config", alertmanager_file], check=True, capture_output=True)


@pytest.fixture
def run(alertmanager_file):
    return CliRunner().invoke(root, ["alerting", "import", str(alertmanager_file)])


@pytest.fixture
def imported(run, monkeypatch):
    for line in run.stderr.splitlines():
        if line.startswith("# set "):
            monkeypatch.setenv(line.split()[2], "x" * 32)
    return AlertingSettings.model_validate(yaml.safe_load(run.stdout))


def test_no_secret_is_copied_and_every_one_is_named(run):
    assert "hooks.slack.com" not in run.stdout
    assert "0123456789abcdef" not in run.stdout
    assert "set WATCHKEEPER_PAGER_PAGERDUTY_ROUTING_KEY" in run.stderr


def test_what_has_no_counterpart_is_told(run):
    assert "opsgenie_configs is not taken over" in run.stderr
    assert "templates are not taken over" in run.stderr


def test_grouping_times_and_inhibition_come_along(imported):
    assert imported.group_by == ("alertname", "cluster")
    assert (imported.resolve_timeout_seconds, imported.update_interval_seconds) == (420, 120)
    assert imported.route.routes[0].mute_time_intervals == ("night",)
    repeats = [route.repeat_interval_seconds for route in (imported.route, *imported.route.routes)]
    assert repeats == [4 * 3600, 1800, None]
    assert imported.route.group_wait_seconds == 20
    assert str(imported.inhibit_rules[0].target_matchers[0]) == 'severity="warning"'
    assert {receiver.kind for receiver in imported.receivers} == {
        "slack", "email", "pagerduty", "webhook",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["[]", "route: 3", "a: b"])
def test_what_is_no_alertmanager_file_is_refused(tmp_path, text):
    (tmp_path / "x.yml").write_text(text)
    assert CliRunner().invoke(root, ["alerting", "import", str(tmp_path / "x.yml")]).exit_code != 0


CASES = (
    ({"severity": "critical", "service": "shop"}, ["pager"]),
    (
        {"severity": "critical", "service": "pay", "team": "dba", "instance": "db1"},
        ["pager", "dba"],
    ),
    ({"team": "dba", "instance": "web1"}, ["team"]),
    ({"severity": "warning"}, ["team"]),
)


@pytest.mark.parametrize(("labels", "expected"), CASES)
def test_a_converted_file_tells_whom_alertmanager_tells(
    alertmanager_file, imported, labels, expected
):
    arguments = [f"{name}={value}" for name, value in labels.items()]
    amtool = [shutil.which("amtool"), "config", "routes", "test"]
    theirs = subprocess.run(
        [*amtool, f"--config.file={alertmanager_file}", *arguments],
        check=True, capture_output=True, text=True,
    ).stdout.strip().split(",")  # fmt: skip
    assert theirs == expected
    names = receivers_for(labels, imported.route)
    ours = {name.partition("-")[0] for name in names}
    assert ours == set(expected)
