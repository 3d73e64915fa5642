"""What past alerts would have caused, said by the very code that runs live, calling nobody."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from alerting.backtest.comparison import changes
from alerting.backtest.history import episodes, in_order
from alerting.backtest.rehearsal import rehearse
from tests.alerting.desk import ALERTING, RULES, START, alert
from tests.alerting.loopback import LoopbackServer, Reply, as_json
from watchkeeper.cli import root
from watchkeeper.clock import SystemClock, format_rfc3339, parse_rfc3339
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


TELLING = """rules:
  - {name: hear, match: ['alertname="WorkerDead"'], action: page-on-call, tell: [slack], mode: MODE}
"""


@pytest.mark.parametrize(
    ("mode", "outcome", "pages"),
    [
        ("auto", "told slack", 1),
        ("approve", "told slack", 1),
        ("observe", "would have been done", 0),
    ],
)
def test_a_rule_that_tells_is_counted_with_its_messages(files, prometheus, mode, outcome, pages):
    rules = files / "remediation.yml"
    rules.write_text(rules.read_text().replace("rules:\n", TELLING.replace("MODE", mode)))
    counts = replayed(files, prometheus, dead(0, 10)).counts()
    assert counts["actions"][f"hear WorkerDead {outcome}"] == 1
    assert counts["messages"].get("slack escalated", 0) == pages


@pytest.mark.parametrize(("wait", "told"), [("15m", {}), ("5m", {"slack opened": 1})])
def test_what_is_over_within_a_group_wait_is_no_message(files, prometheus, wait, told):
    settings = files / "alerting.yml"
    settings.write_text(settings.read_text().replace("{rec", f"{{group_wait: {wait}, rec"))
    counts = replayed(files, prometheus, dead(0, 10)).counts()
    assert counts["incidents"] == {"shop": 1}
    assert counts["messages"] == {**told, **({"slack resolved": 1} if told else {})}


def test_a_receiver_whose_secret_is_not_here_is_named(files, prometheus, monkeypatch):
    monkeypatch.delenv("TEST_SLACK_URL")
    assert replayed(files, prometheus, dead(0, 10)).unusable == ("slack",)


def test_a_past_without_alerts_is_one_too(files, prometheus):
    assert replayed(files, prometheus).counts() == {"incidents": {}, "messages": {}, "actions": {}}


COUNTS = st.dictionaries(
    st.sampled_from(["incidents", "messages", "actions"]),
    st.dictionaries(st.sampled_from("abc"), st.integers(1, 3)),
)


@given(before=COUNTS, after=COUNTS)
def test_the_changes_lead_from_what_was_before_to_what_is_after(before, after):
    before = {kind: before.get(kind, {}) for kind in after}
    counts = {kind: dict(found) for kind, found in before.items()}
    for one in changes(before, after):
        assert counts[one.kind].get(one.name, 0) == one.before != one.after
        assert one.sign == ("+" if one.after > one.before else "-")
        counts[one.kind][one.name] = one.after
    assert {kind: {n: c for n, c in found.items() if c} for kind, found in counts.items()} == after


def episode(begun, ended, **changes):
    """An episode as the anomaly service shows it, by minutes before now."""

    def at(minutes):
        return format_rfc3339(SystemClock().now() - timedelta(minutes=minutes))

    labels = {"alertname": "Anomaly", "severity": "warning", "service": "pay", "query": "latency"}
    return {
        "alert_labels": labels, "habitual": False, "started_at": at(begun),
        "ended_at": None if ended is None else at(ended), **changes,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def no_record(monkeypatch):
    monkeypatch.setenv("WATCHKEEPER_ALERTING_URL", "http://127.0.0.1:1")


@pytest.fixture
def past():
    """A Prometheus and an anomaly service, by URL, that remember one alert each."""
    labels = {"alertname": "WorkerDead", "service": "shop", "process": "w"}
    values = [[SystemClock().now().timestamp() - 3600 + 60 * minute, "1"] for minute in range(5)]
    result = [{"metric": {**labels, "alertstate": "firing"}, "values": values}]
    fired = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    episodes = [
        episode(100, 80), episode(90, 85, habitual=True), episode(9000, 8000), episode(9000, 120),
        episode(20, None),
    ]  # fmt: skip
    with (
        LoopbackServer(lambda _request: as_json(fired)) as prometheus,
        LoopbackServer(lambda _request: as_json({"episodes": episodes})) as anomaly,
    ):
        yield ["--prometheus", prometheus.url, "--anomaly", anomaly.url, "--days", "0.1"]


@pytest.fixture
def record(client):
    """The address of alerting, which has kept what it was sent."""
    with LoopbackServer(lambda request: Reply(body=client.get(request.path).data)) as server:
        yield server.url


def backtest(*arguments):
    done = CliRunner().invoke(root, ["backtest", "--rules", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done


def test_the_command_reads_what_prometheus_and_anomaly_remember(files, past):
    found = json.loads(backtest("--config-dir", files, *past, "--json").stdout)
    assert found["alerts"] == {"prometheus": 1, "anomaly": 3, "other clients": 0}
    # One of them began long before and is looked at from the first moment on.
    assert found["incidents"] == {"pay": 3, "shop": 1}
    assert found["messages"] == {"slack opened": 4, "slack resolved": 3}
    assert len(found["all"]["messages"]) == 7


def test_an_anomaly_service_that_is_away_is_told_and_the_rest_is_rehearsed(files, past):
    away = [*past, "--anomaly", "http://127.0.0.1:1", "--json", "--config-dir", files]
    done = backtest(*away)
    assert "the anomaly service's alerts are left out" in done.stderr
    assert json.loads(done.stdout)["incidents"] == {"shop": 1}


def sent(client, clock, begun, ended, **labels):
    """Send an alert from one minute of the last hour to another, as a client would."""
    labels = {"service": "shop", **labels}
    for minute, ends_at in ((begun, {}), (ended, {"endsAt": within_the_hour(ended)})):
        moment = parse_rfc3339(within_the_hour(minute))
        clock.advance((moment - clock.now()).total_seconds())
        one = {"labels": labels, "startsAt": within_the_hour(begun), **ends_at}
        assert client.post("/api/v2/alerts", json=[one]).status_code == 200


def within_the_hour(minute):
    return format_rfc3339(SystemClock().now() - HOUR + timedelta(minutes=minute))


def test_what_others_sent_is_rehearsed_as_well(files, past, record, client, clock):
    sent(client, clock, 20, 25, alertname="WorkerDead", process="from-grafana")
    found = json.loads(
        backtest("--config-dir", files, *past, "--alerting", record, "--json").stdout
    )
    assert found["alerts"] == {"prometheus": 1, "anomaly": 3, "other clients": 1}
    assert found["incidents"] == {"pay": 3, "shop": 2}
    assert found["actions"] == {
        "restart from-grafana would have been done": 1, "restart w would have been done": 1,
    }  # fmt: skip


def test_what_prometheus_remembers_is_not_counted_twice(files, past, record, client, clock):
    external = {"cluster": "eu", "alertname": "WorkerDead", "process": "w"}
    sent(client, clock, 0, 5, **external)
    sent(client, clock, 40, 45, **external)  # Prometheus has nothing of it at that time
    arguments = ["--config-dir", files, *past, "--alerting", record, "--json"]
    assert json.loads(backtest(*arguments).stdout)["alerts"]["other clients"] == 1


def test_without_a_record_of_alerting_the_rest_is_rehearsed(files, past):
    done = backtest("--config-dir", files, *past, "--json")
    assert "the alerts of other clients are left out" in done.stderr
    assert json.loads(done.stdout)["incidents"] == {"pay": 3, "shop": 1}


def test_a_record_that_is_cut_is_said_to_be(files, past):
    now = SystemClock().now()
    incident = {"started_at": format_rfc3339(now - timedelta(minutes=30)), "alerts": []}
    full = {"incidents": [incident] * 1000}
    with LoopbackServer(lambda _request: as_json(full)) as server:
        done = backtest("--config-dir", files, *past, "--alerting", server.url)
    assert f"other clients before {incident['started_at']} are left out" in done.stderr


def test_what_a_change_would_have_changed_is_told(files, past, tmp_path):
    changed = tmp_path / "changed"
    changed.mkdir()
    for name in ("alerting.yml", "remediation.yml"):
        text = (files / name).read_text().replace('"WorkerDead"', '"Anomaly"')
        (changed / name).write_text(text.replace("{{ labels.process }}", "{{ labels.service }}"))
    arguments = ["--config-dir", changed, "--compare-to", files, *past]
    lines = backtest(*arguments).stdout.splitlines()
    assert lines[lines.index("changed:") + 1 :] == [
        "+ actions: restart pay would have been done, 0 before, 3 after",
        "- actions: restart w would have been done, 1 before, 0 after",
    ]
    found = json.loads(backtest(*arguments, "--json").stdout)
    assert found["before"]["actions"] == {"restart w would have been done": 1}
    assert [one["name"] for one in found["changes"]] == [
        "restart pay would have been done", "restart w would have been done",
    ]  # fmt: skip


def test_what_a_detector_raised_is_no_other_clients_where_anomaly_is_away(
    files, past, record, client, clock
):
    sent(client, clock, 20, 25, alertname="Anomaly", query="latency")
    away = ["--anomaly", "http://127.0.0.1:1", "--alerting", record]
    found = json.loads(backtest("--config-dir", files, *past, *away, "--json").stdout)
    assert found["alerts"] == {"prometheus": 1, "anomaly": 0, "other clients": 0}
