"""Dashboards in the console: the same boards as Grafana's, drawn by us."""

import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dashboards.boards import BOARDS, board, every_board
from dashboards.console import cells
from dashboards.console.choices import choose, matcher_of, rate_window_seconds
from dashboards.console.drawing import KINDS
from dashboards.console.window import Window
from dashboards.expression import fill, variables
from dashboards.spec import HeatMap, Stat, StateTimeline, Table, TimeSeries, Unit
from tests.console.conftest import NOW
from tests.console.neighbours import success

SYSTEM = "watchkeeper-system"


def index_of(uid, title, kind):
    panels = enumerate(board(uid).panels())
    return next(at for at, p in panels if p.title == title and isinstance(p, kind))


def answer_queries(neighbourhood, samples, *, counts=()):
    """Answer each instant query with ``samples``, those that round with ``counts``."""

    def answer(parameters):
        chosen = counts if "round(" in parameters["query"] else samples
        result = [{"metric": labels, "value": [0, str(value)]} for labels, value in chosen]
        return success({"resultType": "vector", "result": result})

    neighbourhood.prometheus.answers["/api/v1/query"] = answer


def offer(neighbourhood, label, *values):
    neighbourhood.prometheus.answers[f"/api/v1/label/{label}/values"] = success(list(values))


def test_the_list_names_every_dashboard_and_its_question(neighbourhood):
    page = neighbourhood.get("/dashboards").text
    for one in every_board():
        assert f'href="/dashboards/{one.uid}"' in page
        assert one.purpose in page


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_shows_every_panel_with_what_to_look_for(neighbourhood, uid):
    for label in ("environment", "service", "instance", "id", "server", "queue", "query", "series"):
        offer(neighbourhood, label, "one")
    page = neighbourhood.get(f"/dashboards/{uid}").text
    for at, panel in enumerate(board(uid).panels()):
        assert panel.description.replace("'", "&#39;") in page
        prefix = "/api/dashboards" if KINDS[type(panel)].is_over_time else "/dashboards"
        assert f'"{prefix}/{uid}/panels/{at}?' in page


def test_an_unknown_dashboard_and_panel_are_said_to_be_unknown(neighbourhood):
    for path in ("/dashboards/none", f"/dashboards/{SYSTEM}/panels/999"):
        assert neighbourhood.get(path).status_code == 404


@pytest.mark.parametrize(
    ("value", "words", "level"),
    [
        (0.25, "250 ms", None),
        (0.7, "700 ms", "notice"),
        (1, "1 s", "warning"),
        (3, "3 s", "critical"),
    ],
)
def test_a_stat_is_judged_by_its_thresholds(neighbourhood, value, words, level):
    answer_queries(neighbourhood, [({}, value)])
    at = index_of(SYSTEM, "Response time", Stat)
    part = neighbourhood.get(f"/dashboards/{SYSTEM}/panels/{at}").text
    assert words in part
    assert level is None or f'class="figure {level}"' in part


@pytest.mark.parametrize("samples", [[], [({}, math.nan)]])
def test_a_stat_without_a_number_says_no_data_never_zero(neighbourhood, samples):
    answer_queries(neighbourhood, samples)
    at = index_of(SYSTEM, "Response time", Stat)
    part = neighbourhood.get(f"/dashboards/{SYSTEM}/panels/{at}").text
    assert "no data" in part
    assert 'class="figure unknown"' in part


def test_silence_about_what_should_not_happen_is_good(neighbourhood):
    answer_queries(neighbourhood, [])
    at = index_of("watchkeeper-remediation", "Dead letters", Stat)
    assert "none" in neighbourhood.get(f"/dashboards/watchkeeper-remediation/panels/{at}").text


def test_a_table_joins_its_queries_and_puts_the_largest_first(neighbourhood):
    quick, slow = {"queryid": "1", "query": "select 1"}, {"queryid": "2", "query": "<b>slow"}
    answer_queries(neighbourhood, [(quick, 0.001), (slow, 2.5)], counts=[(slow, 7), (quick, 1200)])
    at = index_of("watchkeeper-database", "Slow queries", Table)
    part = neighbourhood.get(f"/dashboards/watchkeeper-database/panels/{at}").text
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", part)
    assert cells == ["&lt;b&gt;slow", "2.5 s", "7", "select 1", "1 ms", "1.2k"]


def test_limits_ahead_are_told_soonest_first(neighbourhood):
    near, far = ({"forecast": "filesystem-full", "series": text} for text in ("/data", "/"))
    answer_queries(neighbourhood, [(far, 30 * 86_400), (near, 5400)])
    at = index_of("watchkeeper-host", "Limits ahead", Table)
    part = neighbourhood.get(f"/dashboards/watchkeeper-host/panels/{at}").text
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", part)
    name = "filesystem-full"
    assert cells == [name, "/data", *["1 h 30 min"] * 3, name, "/", *["30 d"] * 3]


def test_a_time_series_has_its_lines_unit_and_thresholds(neighbourhood):
    start = NOW.timestamp() // 15 * 15 - 300
    neighbourhood.prometheus.ranges = [({}, [(start, 0.1), (start + 15, math.inf)])]
    at = index_of(SYSTEM, "Response time", TimeSeries)
    chart = neighbourhood.get(f"/api/dashboards/{SYSTEM}/panels/{at}?range=1h").json
    assert [line["label"] for line in chart["lines"]] == ["p50", "p95", "p99"]
    assert (chart["unit"], [t["at"] for t in chart["thresholds"]]) == ("s", [0.5, 1, 2])
    assert [v for v in chart["lines"][0]["values"] if v is not None] == [0.1]


def test_legends_are_filled_from_labels(neighbourhood):
    start = NOW.timestamp() // 15 * 15 - 300
    neighbourhood.prometheus.ranges = [({"source": "alpha", "target": "beta"}, [(start, 1)])]
    at = index_of("watchkeeper-tasks", "Sync lag", TimeSeries)
    chart = neighbourhood.get(f"/api/dashboards/watchkeeper-tasks/panels/{at}").json
    assert chart["lines"][0]["label"] == "alpha → beta"


def test_a_repeated_panel_is_drawn_once_a_value_or_for_the_chosen_one(neighbourhood):
    offer(neighbourhood, "query", "q")
    offer(neighbourhood, "series", "s1", "s2")
    path = "/dashboards/watchkeeper-anomalies"
    each = r"panels/\d+\?range=1h&amp;refresh=10s&amp;series=s"
    assert len(re.findall(each, neighbourhood.get(path).text)) == 2
    chosen = neighbourhood.get(f"{path}?series=s2").text
    assert re.findall(r'data-chart="[^"]*series=(s\d)', chosen) == ["s2"] * len(
        re.findall("data-chart=", chosen)
    )


def test_choices_stand_in_the_address_of_every_panel(neighbourhood):
    offer(neighbourhood, "service", "taskboard")
    page = neighbourhood.get(f"/dashboards/{SYSTEM}?range=6h&service=taskboard").text
    assert "<option selected>6h</option>" in page
    assert '<option value="taskboard" selected>' in page
    panels = re.findall(r"/panels/\d+\?range=6h&amp;refresh=10s&amp;service=taskboard", page)
    assert len(panels) == len(board(SYSTEM).panels())


def test_a_range_nobody_offers_becomes_the_boards_own():
    assert choose(board(SYSTEM), {"range": "9999y"}).window.range == board(SYSTEM).window


def test_prometheus_down_leaves_the_page_standing_and_says_so(neighbourhood):
    neighbourhood.prometheus.stop()
    page = neighbourhood.get(f"/dashboards/{SYSTEM}")
    assert page.status_code == 200
    assert "Prometheus cannot be asked." in page.text
    panel = neighbourhood.get(f"/dashboards/{SYSTEM}/panels/0")
    assert "Cannot be shown:" in panel.text
    assert neighbourhood.get(f"/api/dashboards/{SYSTEM}/panels/6").status_code == 502


@given(st.text())
@example('a"b\\c\n.*+?()|[]{}^$')
def test_a_chosen_value_matches_itself_and_cannot_leave_its_string(value):
    text = matcher_of(value)
    if value == "":
        assert text == ".*"
        return
    assert "\n" not in text
    unescaped = re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), text)
    assert not re.search(r'(?<!\\)(?:\\\\)*"', text)
    assert re.fullmatch(unescaped, value)


@given(st.sampled_from(["15m", "1h", "6h", "24h", "7d"]))
def test_rates_span_at_least_four_scrapes_and_a_step(range_):
    span = Window(range_).span(NOW)
    window = rate_window_seconds(span.step_seconds)
    assert window >= 20
    assert window > span.step_seconds


@pytest.mark.parametrize("uid", BOARDS)
def test_every_expression_of_a_board_can_be_filled(uid):
    one = board(uid)
    chosen = choose(one, {})
    filling = chosen.filling(one, chosen.window.span(NOW))
    for panel in one.panels():
        for query in panel.queries:
            assert variables(fill(query.expression, filling)) == set()


def answer_ranges(neighbourhood, *series):
    """Answer each range query with ``series``: labels and values on the grid of a quarter hour."""
    start = Window("15m").span(NOW).start
    neighbourhood.prometheus.ranges = [
        (labels, [(start + 5 * at, v) for at, v in enumerate(values) if v is not None])
        for labels, values in series
    ]


def test_a_heat_map_takes_cumulative_buckets_apart(neighbourhood):
    answer_ranges(
        neighbourhood,
        ({"le": "0.1"}, [2, 2]),
        ({"le": "0.5"}, [5, 2]),
        ({"le": "+Inf"}, [5, 2]),
    )
    at = index_of("watchkeeper-http", "Durations", HeatMap)
    url = f"/api/dashboards/watchkeeper-http/panels/{at}?range=15m"
    strips = neighbourhood.get(url).get_json()["strips"]
    assert [(one["label"], one["values"][:2]) for one in strips] == [
        ("≤ 500 ms", [3, None]),
        ("≤ 100 ms", [2, 2]),
    ]


def test_a_state_timeline_tells_states_and_leaves_gaps_where_nobody_knows(neighbourhood):
    answer_ranges(
        neighbourhood,
        ({"job": "web", "instance": "a"}, [1, 0, None, 7]),
    )
    at = index_of("watchkeeper-http", "Instances", StateTimeline)
    url = f"/api/dashboards/watchkeeper-http/panels/{at}?range=15m"
    answer = neighbourhood.get(url).get_json()
    [strip] = answer["strips"]
    assert (strip["label"], strip["values"][:4]) == ("web a", [1, 0, None, None])
    assert [state["word"] for state in answer["states"]] == ["down", "up"]


def test_a_mark_stands_where_something_begins_and_not_where_the_range_does(neighbourhood):
    answer_ranges(
        neighbourhood,
        ({"alertname": "Old", "action": "a", "job": "old"}, [1, 1, 1]),
        ({"alertname": "New", "action": "b", "job": "new"}, [None, 1, 1]),
    )
    found = neighbourhood.get("/api/marks?range=15m").get_json()["marks"]
    start = Window("15m").span(NOW).start
    assert {mark["at"] for mark in found} == {start + 5}
    assert "Firing alerts" in {mark["title"] for mark in found}
    assert not any("Old" in mark["text"] for mark in found)


@given(
    st.lists(st.lists(st.floats(0, 1e6), min_size=3, max_size=3), min_size=1, max_size=8),
)
def test_the_cells_of_a_heat_map_add_up_to_its_largest_bucket(counts):
    columns = [sorted(column) for column in zip(*counts, strict=True)]
    buckets = {str(2.0**at): [column[at] for column in columns] for at in range(len(counts))}
    drawn = cells.of_buckets([0, 1, 2], buckets, Unit.SECONDS)
    for at, column in enumerate(columns):
        total = sum(strip.values[at] or 0 for strip in drawn.strips)
        assert math.isclose(total, column[-1], abs_tol=1e-6)
