"""Explore and Settings: any expression, and what each part runs on."""

import math
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.console import band
from dashboards.console.exploration import catalogue
from dashboards.console.window import Window
from tests.console.conftest import NOW
from tests.console.neighbours import success
from tests.console.test_first_page import text_of


def ask(neighbourhood, path, **arguments):
    return neighbourhood.service.app.test_client().get(path, query_string=arguments)


def test_an_expression_is_shown_over_time_and_now_and_stands_in_the_address(neighbourhood):
    neighbourhood.prometheus.vectors["up"] = [({"job": "web"}, 1), ({"job": "db"}, 3)]
    page = ask(neighbourhood, "/explore", query="up", range="6h")
    assert 'data-chart="/api/explore?query=up&amp;range=6h"' in page.text
    assert "job=db 3 job=web 1" in text_of(page)


def test_windows_are_filled_as_on_a_dashboard(neighbourhood):
    ask(neighbourhood, "/api/explore", query="rate(x_total[$__rate_interval])", range="1h")
    [asked] = [path for path in neighbourhood.prometheus.requests if "query_range" in path]
    assert "rate_interval" not in asked
    assert "%5B20s%5D" in asked


def test_what_prometheus_refuses_is_told_with_what_to_do(neighbourhood):
    refused = {"status": "error", "error": "parse error: unexpected end of input"}
    neighbourhood.prometheus.answers["/api/v1/query"] = refused
    page = ask(neighbourhood, "/explore", query="sum(")
    assert page.status_code == 200
    assert "unexpected end of input" in page.text
    assert "Mend the expression" in page.text


def test_an_empty_answer_says_what_to_look_at(neighbourhood):
    assert "Check names and labels" in ask(neighbourhood, "/explore", query="nothing").text


def test_the_catalogue_is_offered_with_a_way_to_begin(neighbourhood):
    page = ask(neighbourhood, "/explore").text
    assert "/explore?query=histogram_quantile%280.95" in page
    starts = {one.name: parse_qs(urlsplit(one.address).query)["query"] for one in catalogue()}
    assert starts["node_cpu_seconds_total"] == ["rate(node_cpu_seconds_total[$__rate_interval])"]
    assert starts["up"] == ["up"]


def test_a_band_and_a_score_are_drawn_on_demand(neighbourhood):
    start = Window("15m").span(NOW).start
    values = [5.0] * 40 + [9.0]
    points = [(start + 5 * at, value) for at, value in enumerate(values)]
    neighbourhood.prometheus.ranges = [({"job": "a"}, points), ({"job": "b"}, points)]
    lines = ask(neighbourhood, "/api/explore", query="x", range="15m", band="1").get_json()["lines"]
    by_role = {line["role"]: line["values"] for line in lines}
    assert set(by_role) == {"line", "lower", "upper", "expected", "score"}
    assert by_role["expected"][40] == 5.0
    assert by_role["upper"][40] < 9.0
    assert by_role["score"][39] == 0
    assert by_role["score"][40] > 1


VALUES = st.lists(st.none() | st.floats(-1e9, 1e9), max_size=120)


@given(VALUES)
def test_a_band_is_as_long_as_its_series_and_holds_what_it_expects(values):
    drawn = band.around(values)
    assert {len(drawn.expected), len(drawn.score)} == {len(values)}
    for lower, expected, upper in zip(drawn.lower, drawn.expected, drawn.upper, strict=True):
        assert expected is None or lower < expected < upper or math.isclose(lower, upper)


@given(VALUES.filter(len), st.floats(-1e9, 1e9))
def test_no_point_stands_in_its_own_band(values, other):
    changed = [*values[:-1], other]
    assert band.around(values).expected[-1] == band.around(changed).expected[-1]


@given(VALUES)
def test_a_score_above_one_is_outside_the_band_and_nothing_else_is(values):
    drawn = band.around(values)
    for value, lower, upper, score in zip(
        values, drawn.lower, drawn.upper, drawn.score, strict=True
    ):
        if score is not None and not math.isclose(score, 1, rel_tol=1e-6):
            assert (score > 1) == (not lower <= value <= upper)


def test_the_settings_of_each_part_are_shown_and_a_bad_edit_is_told(neighbourhood):
    neighbourhood.anomaly.answers["/api/v1/configuration"] = {
        "files": [{"file": "anomaly.yml", "problem": "line 3: no such key", "settings": {"a": 1}}]
    }
    page = ask(neighbourhood, "/settings")
    assert "console.yml" in page.text
    assert "a: 1" in page.text
    assert "The last edit of anomaly.yml is not in force. line 3: no such key" in text_of(page)


def test_alerting_shows_its_file_as_an_alertmanager_would(neighbourhood):
    status = {"config": {"original": "group_by: [service]"}}
    neighbourhood.alerting.answers["/api/v2/status"] = status
    assert "group_by: [service]" in ask(neighbourhood, "/settings").text


def test_a_part_that_does_not_tell_is_said_not_to(neighbourhood):
    assert "agent does not tell its configuration." in text_of(ask(neighbourhood, "/settings"))


@pytest.mark.parametrize("query", ["<script>alert(1)</script>", '"><img src=x onerror=1>'])
def test_an_expression_is_shown_and_never_run(neighbourhood, query):
    neighbourhood.prometheus.answers["/api/v1/query"] = success(
        {"resultType": "vector", "result": []}
    )
    page = ask(neighbourhood, "/explore", query=query).text
    assert "<script>alert" not in page
    assert "<img" not in page
