"""One incident: its whole story, and the evidence for it."""

import math

import pytest

from tests.console.conftest import NOW
from tests.console.incident_data import alert, incident, moment, resolved, series, with_points
from tests.console.test_first_page import text_of


def serve(neighbourhood, one):
    neighbourhood.incidents.append(one)
    neighbourhood.alerting.answers[f"/api/v1/incidents/{one['id']}"] = one
    return neighbourhood


def test_the_page_tells_the_whole_timeline_and_its_details(neighbourhood):
    timeline = [moment(-9 + i, "updated", f"entry {i}") for i in range(9)]
    timeline.append(moment(0, "notified", "told", {"receiver": "slack"}))
    page = serve(neighbourhood, incident(timeline=timeline)).get("/incidents/i-1").text
    assert all(f"entry {i}" in page for i in range(9))
    assert "&#34;receiver&#34;: &#34;slack&#34;" in page


def test_an_incident_older_than_the_lists_is_asked_for(neighbourhood):
    neighbourhood.alerting.answers["/api/v1/incidents/old one"] = resolved("old one")
    answer = neighbourhood.get("/incidents/old%20one")
    assert answer.status_code == 200
    assert "ran out of memory" in answer.text


def test_an_unknown_incident_is_a_page_that_says_so(neighbourhood):
    answer = neighbourhood.get("/incidents/none")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_alerting_down_is_a_page_that_says_what_to_do(neighbourhood):
    neighbourhood.alerting.stop()
    answer = neighbourhood.get("/incidents/i-1")
    assert answer.status_code == 502
    assert "alerting cannot be reached" in answer.text
    assert "Check that the service runs" in answer.text


def test_an_incident_known_before_alerting_went_down_is_still_shown(neighbourhood):
    serve(neighbourhood, incident()).get("/")
    neighbourhood.alerting.stop()
    answer = neighbourhood.get("/incidents/i-1")
    assert answer.status_code == 200
    assert "Alerting cannot be asked." in answer.text


def test_an_open_incident_is_refreshed_and_a_resolved_one_is_not(neighbourhood):
    serve(neighbourhood, incident())
    serve(neighbourhood, resolved())
    assert 'hx-get="/incidents/i-1/content"' in neighbourhood.get("/incidents/i-1").text
    assert "hx-get" not in neighbourhood.get("/incidents/i-0").text


def test_an_anomaly_is_drawn_with_the_band_of_its_series(neighbourhood):
    labels = {"alertname": "Anomaly", "query": "response time", "service": "taskboard"}
    about = {"http_route": "/tasks/<id>", "service": "taskboard"}
    serve(neighbourhood, incident(alerts=[alert("Anomaly", labels=labels | about)]))
    neighbourhood.series += [series("other", labels={"service": "else"}), series("s 1")]
    page = neighbourhood.get("/incidents/i-1").text
    assert 'data-chart="/api/series/s%201?minutes=30"' in page


def test_a_rules_alert_is_drawn_as_what_its_rule_measured(neighbourhood):
    serve(neighbourhood, incident())
    neighbourhood.prometheus.rules = [
        {"name": "TaskQueueStalled", "type": "alerting", "query": "depth > 50"},
        {"name": "Other", "type": "alerting", "query": "up == 0"},
    ]
    start = (NOW.timestamp() - 60) // 5 * 5  # on the grid
    neighbourhood.prometheus.ranges = [
        ({"service": "taskboard", "queue": "work"}, [(start, 3.0), (start + 5, math.nan)]),
        ({"service": "another"}, [(start, 1.0)]),
    ]
    chart = neighbourhood.get("/api/incidents/i-1/alerts/f1").json
    assert chart["thresholds"] == [{"at": 50.0, "level": "critical"}]
    asked = neighbourhood.prometheus.requests[-1]
    assert "query=depth&" in asked


def test_only_series_that_fit_the_alerts_labels_are_drawn(neighbourhood):
    serve(neighbourhood, incident())
    neighbourhood.prometheus.rules = [{"name": "TaskQueueStalled", "query": "depth > 50"}]
    start = (NOW.timestamp() - 60) // 5 * 5  # on the grid
    neighbourhood.prometheus.ranges = [
        ({"service": "taskboard"}, [(start, 3.0), (start + 5, math.nan)]),
        ({"service": "another"}, [(start, 1.0)]),
    ]
    chart = neighbourhood.get("/api/incidents/i-1/alerts/f1").json
    [line] = chart["lines"]
    assert (line["label"], line["role"]) == ("service=taskboard", "line")
    drawn = dict(zip(chart["timestamps"], line["values"], strict=True))
    assert {at: value for at, value in drawn.items() if value is not None} == {start: 3.0}


@pytest.mark.parametrize(
    "path",
    [
        "/api/incidents/i-1/alerts/none",
    ],
)
def test_what_cannot_be_drawn_is_a_json_error(neighbourhood, path):
    serve(neighbourhood, incident())
    answer = neighbourhood.get(path)
    assert answer.status_code == 404
    assert answer.json["error"]["message"]


def test_a_series_has_its_own_page_and_data(neighbourhood):
    one = with_points(series())
    neighbourhood.anomaly.answers["/api/v1/series/s1"] = one
    assert "response time" in neighbourhood.get("/series/s1").text
    chart = neighbourhood.get("/api/series/s1?minutes=60").json
    assert [line["role"] for line in chart["lines"]] == ["lower", "upper", "expected", "line"]
    assert neighbourhood.anomaly.requests[-1] == "/api/v1/series/s1?minutes=60"


@pytest.mark.parametrize("minutes", ["0", "-5", "1e3", "99999", "", "x"])
def test_a_range_that_makes_no_sense_is_refused(neighbourhood, minutes):
    answer = neighbourhood.get(f"/api/series/s1?minutes={minutes}")
    assert answer.status_code == 400
    assert "expected a whole number" in answer.json["error"]["message"]


def test_points_of_unequal_length_are_not_drawn(neighbourhood):
    one = with_points(series())
    one["points"]["upper"] = [1.0]
    neighbourhood.anomaly.answers["/api/v1/series/s1"] = one
    answer = neighbourhood.get("/api/series/s1")
    assert answer.status_code == 502
    assert "as many values as timestamps" in answer.json["error"]["message"]


def test_an_alert_of_ours_leads_to_its_runbook_on_a_page(neighbourhood):
    annotations = {"summary": "s", "runbook_url": "docs/runbooks/TaskQueueStalled.md"}
    serve(neighbourhood, incident(alerts=[alert(annotations=annotations)]))
    assert 'href="/runbooks/TaskQueueStalled"' in neighbourhood.get("/incidents/i-1").text
    page = neighbourhood.get("/runbooks/TaskQueueStalled").text
    assert "<h2>What it means</h2>" in page
    assert "<code>process</code>" in page


@pytest.mark.parametrize("name", ["Nothing", "..%2FREADME", "%2e%2e", ".."])
def test_only_runbooks_are_shown_as_runbooks(neighbourhood, name):
    assert neighbourhood.get(f"/runbooks/{name}").status_code == 404


def test_what_the_detectors_say_of_an_alert_stands_with_its_chart(neighbourhood):
    annotations = {
        "summary": "It is unusual.",
        "contributors": "http_route /search: 80 %",
        "moved_along": "queries of /search, 5 s later",
        "last_change": "deploy by ada",
        "backtest": "0.2 times a week",
    }
    alerts = [alert("Anomaly", annotations=annotations)]
    neighbourhood.incidents.append(incident(alerts=alerts))
    text = text_of(neighbourhood.get("/incidents/i-1"))
    assert "What makes it up http_route /search: 80 %" in text
    assert "What moved along queries of /search, 5 s later" in text
    assert "Most like" not in text


def test_an_alert_whose_rule_is_not_ours_says_so_instead_of_a_chart(neighbourhood):
    neighbourhood.incidents.append(incident())
    answer = neighbourhood.get("/api/incidents/i-1/alerts/f1")
    assert answer.get_json()["lines"] == []
    assert "No rule named TaskQueueStalled is loaded here" in answer.get_json()["note"]


def test_the_series_in_its_band_comes_before_what_a_rule_says_of_it(neighbourhood):
    labels = {"query": "response time", **series()["labels"]}
    sustained = alert("AnomalySustained", fingerprint="f0", labels={"alertname": "x", **labels})
    unusual = alert("Anomaly", labels={"alertname": "Anomaly", **labels})
    neighbourhood.series.append(series())
    neighbourhood.alerting.answers["/api/v1/incidents/i-1"] = incident(alerts=[sustained, unusual])
    text = neighbourhood.get("/incidents/i-1").text
    assert text.index('data-chart="/api/series/s1') < text.index("/alerts/f0")
    assert "now <b>0.29</b>" in text
