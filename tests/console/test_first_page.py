"""The first page: what is happening, and whether we would know."""

import re

import pytest

from dashboards.console.now import IN_FULL
from tests.console.incident_data import alert, at, incident, moment, resolved, series


def text_of(answer):
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def up(job, value, service="taskboard", instance="one:1"):
    return {"job": job, "service": service, "instance": instance}, value


def test_an_open_incident_is_named_with_its_severity_and_its_story(neighbourhood):
    neighbourhood.incidents.append(incident())
    text = text_of(neighbourhood.get("/"))
    assert "1 critical incident open" in text
    assert "No worker takes tasks from queue work" in text
    for words in ("TaskQueueStalled fired", "Slack was told", "restart-service taskboard-worker"):
        assert words in text


def test_the_worst_of_several_incidents_comes_first(neighbourhood):
    neighbourhood.incidents += [
        incident("mild", severity="warning", title="Mild"),
        incident("bad", title="Bad"),
    ]
    text = text_of(neighbourhood.get("/"))
    assert "2 incidents open, 1 critical" in text
    assert text.index("Bad") < text.index("Mild")


def test_in_a_storm_the_worst_are_shown_in_full_and_the_others_as_a_line(neighbourhood):
    neighbourhood.incidents += [
        incident(f"w{at}", severity="warning", title=f"Warning {at}") for at in range(60)
    ]
    neighbourhood.incidents.append(incident("bad", title="Bad"))
    page = neighbourhood.get("/")
    text = text_of(page)
    assert "61 incidents open, 1 critical" in text
    assert page.text.count('class="rail"') == IN_FULL
    assert text.index("Bad") < text.index("Warning")
    assert "55 more" in text
    assert "and 25 more, milder or older" in text


def test_a_resolved_incident_shows_how_long_each_step_took(neighbourhood):
    neighbourhood.incidents.append(resolved())
    text = text_of(neighbourhood.get("/"))
    assert "lasted 1 min" in text
    assert "Verified +55 s" in text


def test_an_incident_resolved_long_ago_is_not_recent(neighbourhood):
    neighbourhood.incidents.append(resolved(resolved_at=at(-7200), started_at=at(-7300)))
    assert "ran out of memory" not in text_of(neighbourhood.get("/"))


def test_quiet_is_said_only_when_everything_is_known_to_be_well(neighbourhood):
    neighbourhood.prometheus.vectors["up"] = [up("taskboard", 1)]
    neighbourhood.series.append(series(score=0.2, alerting=False))
    assert "All quiet" in text_of(neighbourhood.get("/"))


def test_quiet_is_not_said_before_any_series_is_judged(neighbourhood):
    neighbourhood.prometheus.vectors["up"] = [up("taskboard", 1)]
    neighbourhood.series.append(series(score=None, alerting=False, state="warming"))
    text = text_of(neighbourhood.get("/"))
    assert "All quiet" not in text
    assert "No series is judged yet." in text


@pytest.mark.parametrize("part", ["alerting", "anomaly", "agent", "remediation", "prometheus"])
def test_quiet_is_never_said_while_a_part_is_down(neighbourhood, part):
    neighbourhood.prometheus.vectors["up"] = [up("taskboard", 1)]
    neighbourhood.series.append(series(score=0.2, alerting=False))
    getattr(neighbourhood, part).stop()
    text = text_of(neighbourhood.get("/"))
    assert "All quiet" not in text
    assert f"{part} is down" in text


def test_incidents_known_before_alerting_went_down_stay_and_are_marked_as_old(neighbourhood):
    neighbourhood.incidents.append(incident())
    neighbourhood.get("/")
    neighbourhood.alerting.stop()
    text = text_of(neighbourhood.get("/"))
    assert "No worker takes tasks" in text
    assert "Incidents cannot be read." in text
    assert "from before" in text


def test_services_are_unknown_not_good_when_prometheus_is_down(neighbourhood):
    neighbourhood.prometheus.vectors["up"] = [up("taskboard", 1)]
    neighbourhood.get("/")
    neighbourhood.prometheus.stop()
    text = text_of(neighbourhood.get("/"))
    assert "taskboard unknown" in text
    assert "1 of 1 up" not in text


def test_a_part_that_is_not_ready_says_why(neighbourhood):
    neighbourhood.remediation.answers["/readyz"] = {"reasons": {"config": "endpoint.yml is bad"}}
    neighbourhood.remediation.statuses["/readyz"] = 503
    text = text_of(neighbourhood.get("/"))
    assert "remediation not ready config: endpoint.yml is bad" in text
    assert "Watching is impaired" in text


def test_a_process_that_is_down_is_named(neighbourhood):
    neighbourhood.prometheus.vectors["up"] = [up("web", 1), up("worker", 0, instance="two:2")]
    text = text_of(neighbourhood.get("/"))
    assert "taskboard 1 of 2 up worker two:2 is down" in text


def test_a_data_store_that_does_not_answer_is_named(neighbourhood):
    neighbourhood.prometheus.vectors |= {
        "up": [up("web", 1)],
        "pg_up": [({"server": "db:5432"}, 0)],
    }
    assert "PostgreSQL db:5432 is down" in text_of(neighbourhood.get("/"))


def test_our_own_processes_are_not_listed_among_the_watched_services(neighbourhood):
    neighbourhood.prometheus.vectors["up"] = [up("agent", 1, service="watchkeeper")]
    page = neighbourhood.get("/")
    assert "Prometheus watches no service yet" in text_of(page)


def test_an_unusual_series_is_drawn_with_its_numbers(neighbourhood):
    neighbourhood.series.append(series())
    page = neighbourhood.get("/")
    assert "now 0.29 · expected 0.041 (0.02 to 0.08)" in text_of(page)
    assert 'data-chart="/api/series/s1?minutes=30"' in page.text


def test_numbers_are_in_the_unit_of_the_query_and_its_errors_are_told(neighbourhood):
    expression = "max(task_queue_oldest_age_seconds)"
    neighbourhood.anomaly.answers["/api/v1/queries"] = {
        "queries": [
            {"name": "response time", "expression": expression, "state": "ready", "error": None},
            {"name": "cpu", "expression": "x", "state": "ready", "error": "timeout"},
        ]
    }
    neighbourhood.series.append(series())
    text = text_of(neighbourhood.get("/"))
    assert "now 290 ms · expected 41 ms (20 ms to 80 ms)" in text
    assert "cpu is not being judged. timeout" in text


def test_a_usual_series_is_counted_and_a_warming_one_is_not_judged(neighbourhood):
    neighbourhood.series += [
        series("a", score=0.4, alerting=False),
        series("b", score=9, alerting=False, state="warming"),
    ]
    text = text_of(neighbourhood.get("/"))
    assert "1 watched, 1 warming up" in text
    assert "Every watched series is within its band." in text


def test_what_changed_lists_restarts_actions_and_incidents_newest_first(neighbourhood):
    neighbourhood.incidents.append(resolved())
    started = neighbourhood.room.clock.now().timestamp() - 60
    neighbourhood.prometheus.vectors["process_start_time_seconds"] = [
        ({"job": "taskboard", "instance": "one:1"}, started)
    ]
    text = text_of(neighbourhood.get("/"))
    changes = text[text.index("What changed") :]
    order = [changes.index(words) for words in ("started taskboard", "resolved", "acted", "opened")]
    assert order == sorted(order)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, -5.0])
def test_a_time_that_cannot_be_one_is_left_out(neighbourhood, value):
    neighbourhood.prometheus.vectors["process_start_time_seconds"] = [({"job": "odd"}, value)]
    assert "started odd" not in text_of(neighbourhood.get("/"))


def test_the_kill_switch_is_shown_while_it_is_on(neighbourhood):
    assert "All actions are paused" not in text_of(neighbourhood.get("/"))
    neighbourhood.alerting.answers["/api/v1/status"] = {"paused": True}
    assert "All actions are paused" in text_of(neighbourhood.get("/"))


@pytest.mark.parametrize(
    "answer",
    [
        {"incidents": [{"id": 1}]},
        {"incidents": "none"},
        {"incident": []},
        [],
        "text",
        {"incidents": [incident(started_at="yesterday")]},
    ],
)
def test_an_answer_nobody_expected_is_told_plainly(neighbourhood, answer):
    neighbourhood.alerting.answers["/api/v1/incidents"] = answer
    text = text_of(neighbourhood.get("/"))
    assert "Incidents cannot be read. alerting answered" in text


def test_the_refreshed_part_is_the_page_without_its_frame(neighbourhood):
    neighbourhood.incidents.append(incident())
    page, part = neighbourhood.get("/"), neighbourhood.get("/now")
    assert "<html" in page.text
    assert "<html" not in part.text
    assert "No worker takes tasks" in part.text


def test_every_time_carries_utc_for_the_title_and_for_the_browser(neighbourhood):
    neighbourhood.incidents.append(incident(timeline=[moment(0, "detected")], alerts=[alert()]))
    page = neighbourhood.get("/").text
    assert '<time datetime="2026-03-04T05:06:07.000Z" title="2026-03-04 05:06:07 UTC">' in page


def test_an_open_incident_shows_the_chart_that_triggered_it(neighbourhood):
    labels = {"alertname": "Anomaly", "query": "response time", **series()["labels"]}
    neighbourhood.series.append(series())
    neighbourhood.incidents += [
        incident("unusual", alerts=[alert("Anomaly", labels=labels)]),
        incident("stalled"),
    ]
    page = neighbourhood.get("/").text
    assert 'id="trigger-unusual" hx-preserve="true" data-chart="/api/series/s1?' in page
    assert 'data-chart="/api/incidents/stalled/alerts/f1"' in page


def test_actions_under_way_are_named(neighbourhood):
    action = {"action": "restart-service", "target": "worker", "state": "running", "rule": "r"}
    neighbourhood.alerting.answers["/api/v1/status"] = {"paused": False, "in_flight": [action]}
    assert "Actions under way restart-service worker running" in text_of(neighbourhood.get("/"))
