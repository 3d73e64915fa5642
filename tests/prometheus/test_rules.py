"""Every rule is complete: promtool accepts it, a test shows it at work, a runbook explains it."""

import shutil
import subprocess

import pytest

from tests.prometheus.rulebook import (
    PROJECT,
    PROMETHEUS,
    alert_tests,
    alerts,
    metrics_in,
    recorded,
    rule_files,
    rules,
    test_files,
)
from watchkeeper.catalogue import every_metric
from watchkeeper.catalogue.metric import Kind
from watchkeeper.supervisor.prometheus_binary import PROJECT_CACHE, find

MEASURES = (
    "service:http_server_request_duration_seconds",
    "server:pg_stat_statements_seconds",
    "instance:node_cpu_utilisation",
    "instance:node_memory_utilisation",
    "service_source_target:task_handoff_seconds",
)
OPERATIONS = ("avg", "max", "min", "p95", "p99")
WINDOWS = ("1m", "5m", "15m", "1h")

test_files.__test__ = False


def promtool(*arguments, cwd=PROMETHEUS):
    program = find(PROJECT_CACHE, "promtool")
    assert program is not None, "promtool is missing; make setup brings it with Prometheus"
    done = subprocess.run(
        [program, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_accepts_the_configuration(tmp_path):
    shutil.copy(PROMETHEUS / "prometheus.yml", tmp_path)
    shutil.copytree(PROMETHEUS / "rules", tmp_path / "rules")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "api-token").write_text("a token")
    assert "is valid prometheus config file syntax" in promtool(
        "check", "config", "prometheus.yml", cwd=tmp_path
    )


def test_promtool_finds_nothing_to_complain_of_in_the_rules():
    answer = promtool("check", "rules", "--lint-fatal", *rule_files())
    assert answer.count("SUCCESS") == len(rule_files())


@pytest.mark.parametrize("path", test_files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_rules_do_what_their_unit_tests_say(path):
    promtool("test", "rules", path)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("measure", MEASURES)
def test_each_measure_is_recorded_for_each_operation_and_window(measure, operation, window):
    assert f"{measure}:{operation}_{window}" in recorded()


def test_rule_names_are_unique():
    names = [(rule.name, rule.labels) for rule in rules()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("alert", alerts(), ids=str)
def test_an_alert_is_shown_firing_and_shown_quiet(alert):
    checks = [check for check in alert_tests() if check["alertname"] == alert.name]
    assert any(check["exp_alerts"] for check in checks), f"no test shows {alert} firing"
    assert any(not check["exp_alerts"] for check in checks), f"no test shows {alert} quiet"


@pytest.mark.parametrize("alert", alerts(), ids=str)
def test_an_alert_that_fires_carries_severity_and_service(alert):
    fired = [
        expected["exp_labels"]
        for check in alert_tests()
        if check["alertname"] == alert.name
        for expected in check["exp_alerts"]
    ]
    for labels in fired:
        assert labels["severity"] in {"critical", "warning", "info"}
        assert labels["service"]


@pytest.mark.parametrize("alert", alerts(), ids=str)
def test_an_alert_says_what_happened_and_where_its_runbook_is(alert):
    annotations = dict(alert.annotations)
    assert annotations.keys() == {"summary", "description", "runbook_url"}
    assert annotations["runbook_url"] == f"docs/runbooks/{alert}.md"
    runbook = (PROJECT / annotations["runbook_url"]).read_text()
    assert runbook.startswith(f"# {alert}\n")
    for heading in ("What it means", "Look at", "What happens by itself", "Stop it"):
        assert f"## {heading}\n" in runbook, f"{alert}'s runbook has no '{heading}'"


def test_every_runbook_belongs_to_an_alert_or_says_it_is_about_anomalies():
    written = {path.stem for path in (PROJECT / "docs" / "runbooks").glob("*.md")}
    assert written - {"README", "anomaly"} == {alert.name for alert in alerts()}


@pytest.mark.parametrize("rule", rules(), ids=str)
def test_a_rule_uses_only_names_of_the_catalogue_and_of_other_rules(rule):
    known = {
        exposed
        for metric in every_metric().values()
        for exposed in (
            (metric.sum, metric.count, metric.bucket)
            if metric.kind is Kind.HISTOGRAM
            else (metric.name,)
        )
    }
    used = metrics_in(rule.expression)
    assert used, f"no metric found in {rule.expression}"
    assert used <= known | recorded()


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('sum by (a, b) (rate(x_total{c="d{e}"}[5m])) > 0.5', {"x_total"}),
        (
            "level:m:op * on (q) group_left () max by (q) (y) unless z == bool 1",
            {"level:m:op", "y", "z"},
        ),
        ("max_over_time(z[1h] offset 5m) or vector(1)", {"z"}),
    ],
)
def test_metric_names_are_told_from_the_rest_of_an_expression(expression, names):
    assert metrics_in(expression) == names
