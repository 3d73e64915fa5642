"""The report of a day with planted troubles names each, its culprit, and what mended it."""

import json
import re

import pytest
from click.testing import CliRunner

from dashboards.report import rendering
from dashboards.report.cli import report as command
from dashboards.report.period import Period
from dashboards.report.report import gather
from tests.console.neighbours import Neighbour
from tests.report import recorded_day
from tests.report.recorded_day import END, START
from watchkeeper.peers import Peer
from watchkeeper.prometheus import PrometheusClient

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    with recorded_day.serving(tmp_path_factory.mktemp("day")) as client:
        yield client


@pytest.fixture(scope="module")
def alerting():
    neighbour = Neighbour()
    neighbour.answers["/api/v1/incidents"] = lambda asked: {
        "incidents": [] if asked["status"] == "open" else recorded_day.incidents()
    }
    yield neighbour
    neighbour.stop()


@pytest.fixture(scope="module")
def found(prometheus, alerting):
    peer = Peer("alerting", base_url=alerting.url, timeout_seconds=5)
    return gather(prometheus, peer, Period(START, END))


def test_everything_could_be_read(found):
    assert found.problems == []


def test_each_incident_of_the_day_is_named_and_no_other(found):
    assert [chapter.id for chapter in found.chapters] == ["slow", "stalled", "stalled-again"]


def test_the_culprit_is_the_series_that_was_unusual(found):
    slow = found.chapters[0]
    assert slow.culprits == ("response-time http_route=/search",)
    [unusual] = found.unusual
    assert unusual.series == recorded_day.CULPRIT
    assert unusual.highest_score == 6.5
    assert abs(unusual.seconds - 30 * 60) <= 300


def test_what_fixed_an_incident_is_told_only_when_it_was_confirmed(found):
    assert [chapter.fixed_by for chapter in found.chapters] == [
        "", "restart-service worker", "restart-service worker",
    ]  # fmt: skip
    assert found.chapters[0].notes == ("ana: the index was missing",)


def test_percentiles_of_a_histogram_are_those_of_all_requests(found):
    [response] = [one for one in found.measures if one.metric == "Response time"]
    # 30 of 1,440 minutes are slow, so the p95 is fast and the p99 lies in the slow bucket.
    assert response.p95 < 0.1
    assert response.p99 > 1
    assert 2.5 < response.largest <= 3


def test_a_promise_that_was_broken_is_said_to_be(found):
    kept = {one.objective: one.is_kept for one in found.promises}
    assert kept == {"Availability": True, "Latency": False}


def test_what_fills_up_is_told_with_the_day_it_is_full(found):
    [disk] = found.forecasts
    assert disk.series == "/data"
    used_at_end = 0.6 + 1439 * 1e-4
    assert abs(disk.full_in_seconds - (1 - used_at_end) / 1e-4 * 60) < 600


def test_limits_are_told_as_they_were_forecast_when_the_day_ended(found):
    assert found.lookout.looked_at == 2
    [limit] = found.lookout.limits
    assert (limit.forecast, limit.series) == ("filesystem-full", recorded_day.FILLING)
    assert (limit.earliest_seconds, limit.likely_seconds) == (5 * 3600, 7 * 3600)
    assert limit.latest_seconds is None
    assert limit.warns
    told = {item.what: item.evidence for item in found.items}
    assert told[f"Keep from its limit: filesystem-full {recorded_day.FILLING}"] == (
        "forecast to be there in 7 h (eight in ten futures: 5 h to later)"
    )
    assert "2 series were looked ahead at; 1 of them had a limit in sight" in rendering.body(found)


def test_recommendations_follow_from_numbers_and_lead_somewhere(found):
    told = {item.what: item.evidence for item in found.items}
    assert "Make room: Disk space /data" in told
    again = told["Find the cause of: No worker takes tasks from queue work"]
    assert again == "2 incidents in this period; restart-service worker helped, but it came back"
    assert all(re.search(r"\d", item.evidence) for item in found.items)
    assert all(item.link.startswith("/") for item in found.items)


def test_the_file_holds_it_all_and_loads_nothing(found):
    page = rendering.html(found, console_url="http://console.example")
    for chapter in found.chapters:
        assert chapter.title in page
        assert f"http://console.example/incidents/{chapter.id}" in page
    assert "restart-service worker" in page
    assert not re.search(r"<script|<link|<img|src=|@import|url\(", page)


def test_the_command_writes_both_files(prometheus, alerting, tmp_path, monkeypatch):
    monkeypatch.setenv("WATCHKEEPER_PROMETHEUS_URL", prometheus.base_url)
    monkeypatch.setenv("WATCHKEEPER_ALERTING_URL", alerting.url)
    page, data = tmp_path / "report.html", tmp_path / "report.json"
    until = ["--last", "24h", "--until", "2026-03-04T00:00:00Z"]
    result = CliRunner().invoke(command, [*until, "--html", str(page), "--json", str(data)])
    assert result.exit_code == 0, result.output
    told = json.loads(data.read_text())
    assert [one["id"] for one in told["chapters"]] == ["slow", "stalled", "stalled-again"]
    assert told["period"]["seconds"] == 86_400
    assert "Response time of /search is unusual" in page.read_text()
    assert "2. " in CliRunner().invoke(command, until).output


def test_nothing_is_told_of_a_time_without_data(prometheus):
    nobody = Peer("alerting", base_url="http://127.0.0.1:9", timeout_seconds=1)
    earlier = Period(START, END).before().before()
    found = gather(prometheus, nobody, earlier)
    assert (found.measures, found.unusual, found.forecasts, found.items) == ([], [], [], [])
    assert found.lookout.looked_at == 0
    assert len(found.problems) == 1
    assert "incidents:" in found.problems[0]
    assert "could not be read" in rendering.body(found)


def test_without_prometheus_the_report_says_what_it_does_not_know(alerting):
    nobody = PrometheusClient("http://127.0.0.1:9", timeout_seconds=1.0)
    peer = Peer("alerting", base_url=alerting.url, timeout_seconds=5)
    found = gather(nobody, peer, Period(START, END))
    assert "Little can be told" in found.health
    assert {problem.split(":")[0] for problem in found.problems} == {
        "anomalies", "objectives", "availability", "key metrics", "capacity",
        "forecasts",
    }  # fmt: skip
    assert [chapter.id for chapter in found.chapters] == ["slow", "stalled", "stalled-again"]


def test_names_from_strangers_are_shown_and_never_run(found):
    evil = recorded_day.incident(
        "x", "<script>alert(1)</script>", (0, 1), {"alertname": "<img src=x>"}, []
    )
    neighbour = Neighbour()
    neighbour.answers["/api/v1/incidents"] = {"incidents": [evil]}
    peer = Peer("alerting", base_url=neighbour.url, timeout_seconds=5)
    nobody = PrometheusClient("http://127.0.0.1:9", timeout_seconds=1.0)
    page = rendering.html(gather(nobody, peer, Period(START, END)))
    neighbour.stop()
    assert "<script>alert" not in page
    assert "<img" not in page
