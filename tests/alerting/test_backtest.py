"""What past alerts would have caused, said by the very code that runs live, calling nobody."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from alerting.backtest.history import episodes, in_order
from alerting.backtest.rehearsal import rehearse
from tests.alerting.desk import ALERTING, RULES, START, alert
from tests.alerting.loopback import LoopbackServer, as_json
from watchkeeper.cli import root
from watchkeeper.clock import SystemClock
from watchkeeper.prometheus import PrometheusClient, Series

HOUR = timedelta(hours=1)


@pytest.fixture
def files(tmp_path, slack):
    rules = RULES.replace("URL", "http://127.0.0.1:1").replace("DEDUPLICATES", "true")
    (tmp_path / "alerting.yml").write_text(ALERTING)
    (tmp_path / "remediation.yml").write_text(rules)
    return tmp_path


def replayed(files, prometheus, *alerts):
    return rehearse(
        in_order(alerts, START + 5 * HOUR),
        files / "alerting.yml",
        files / "remediation.yml",
        PrometheusClient(prometheus.url, timeout_seconds=5),
        end=START + 5 * HOUR,
    )


def dead(minutes: float, lasting: float, **labels: str):
    at = START + timedelta(minutes=minutes)
    return alert("WorkerDead", at=at, ends=at + timedelta(minutes=lasting), **labels)


def test_a_gap_in_the_record_is_an_end(clock):
    [first, second] = episodes(
        Series({"__name__": "ALERTS", "alertstate": "firing", "alertname": "A"},
               [0.0, 60.0, 120.0, 600.0], [1.0] * 4),
        step_seconds=60,
    )  # fmt: skip
    assert first.labels == {"alertname": "A"}
    assert (first.ends_at - first.starts_at).total_seconds() == 180
    assert (second.starts_at.timestamp(), second.ends_at.timestamp()) == (600, 660)


def test_past_alerts_become_incidents_messages_and_rehearsed_actions(files, prometheus, slack):
    counts = replayed(files, prometheus, dead(0, 10), dead(120, 10)).counts()
    assert counts["incidents"] == {"shop": 2}
    assert counts["messages"] == {"slack opened": 2, "slack resolved": 2}
    assert counts["actions"] == {"restart worker would have been done": 2}
    assert slack.requests == []


def test_cooldowns_hold_in_the_past_as_they_would_have(files, prometheus):
    rules = files / "remediation.yml"
    rules.write_text(rules.read_text().replace("cooldown: 60s", "cooldown: 2h"))
    counts = replayed(files, prometheus, dead(0, 10), dead(20, 10)).counts()
    assert counts["actions"] == {
        "restart worker held back (cooldown, not_needed)": 1,
        "restart worker would have been done": 1,
    }


def test_a_changed_rule_shows_before_it_is_loaded(files, prometheus):
    rules = files / "remediation.yml"
    rules.write_text(rules.read_text().replace("WorkerDead", "Other"))
    assert replayed(files, prometheus, dead(0, 10)).counts()["actions"] == {}


def test_the_command_reads_what_prometheus_remembers(files):
    now = SystemClock().now().timestamp()
    labels = {"alertname": "WorkerDead", "service": "shop", "process": "w"}

    def answer(_request):
        values = [[now - 3600 + 60 * minute, "1"] for minute in range(5)]
        result = [{"metric": {**labels, "alertstate": "firing"}, "values": values}]
        return as_json({"status": "success", "data": {"resultType": "matrix", "result": result}})

    with LoopbackServer(answer) as server:
        done = CliRunner().invoke(
            root,
            ["backtest", "--rules", "--config-dir", str(files), "--prometheus", server.url,
             "--days", "0.1", "--json"],
        )  # fmt: skip
    assert json.loads(done.stdout)["incidents"] == {"shop": 1}
