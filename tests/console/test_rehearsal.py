"""What changed rules would have done: the command's own answer, on a page."""

from pathlib import Path

import pytest

from dashboards.console import rehearsal
from tests.console.neighbours import success
from tests.console.test_first_page import text_of

ROOM = Path(__file__).parents[2] / "alerting"
RULES = (ROOM / "remediation.yml").read_text()


@pytest.fixture
def past(neighbourhood, monkeypatch):
    """A stack whose Prometheus remembers one alert that a day ago fired for ten minutes."""
    neighbourhood.alerting.answers["/api/v2/status"] = {
        "config": {"original": (ROOM / "alerting.yml").read_text()}
    }

    def fired(parameters):
        if "ALERTS" not in parameters["query"]:
            return success({"resultType": "matrix", "result": []})
        start = float(parameters["end"]) - 3600
        labels = {"alertname": "TaskQueueStalled", "service": "shop", "severity": "critical"}
        points = [[start + 60 * minute, "1"] for minute in range(10)]
        return success({"resultType": "matrix", "result": [{"metric": labels, "values": points}]})

    neighbourhood.prometheus.answers["/api/v1/query_range"] = fired
    monkeypatch.setenv("WATCHKEEPER_PROMETHEUS_URL", neighbourhood.prometheus.url)
    monkeypatch.setenv("WATCHKEEPER_ANOMALY_URL", neighbourhood.anomaly.url)
    return neighbourhood


def tried(neighbourhood, text, days="1"):
    browser = neighbourhood.service.app.test_client()
    return browser.post("/rules/rehearsal", data={"rules": text, "days": days})


@pytest.mark.live
def test_the_incident_of_the_past_is_counted(past):
    page = tried(past, RULES)
    assert page.status_code == 200
    assert "incidents shop 1" in text_of(page)


@pytest.mark.live
def test_a_mistake_in_the_rules_is_named_by_its_line_and_no_path_of_ours(past):
    text = text_of(tried(past, "rules:\n  - nme: x\n"))
    assert "The rules could not be tried." in text
    assert "remediation.yml:2" in text
    assert "/tmp" not in text


def test_nothing_is_tried_without_rules(past):
    assert tried(past, " ").status_code == 400


def test_only_one_is_tried_at_a_time(past):
    with rehearsal._running:
        assert "Another one is under way" in text_of(tried(past, RULES))
