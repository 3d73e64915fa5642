"""The console's pure decisions: steps, comparisons, amounts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.console.changes import gather
from dashboards.console.comparison import Comparison, split
from dashboards.console.incidents import Incident, StepState, steps_of
from dashboards.console.presentation import safe_link
from dashboards.console.quantities import quantity, span
from dashboards.spec import Unit
from tests.console.conftest import NOW
from tests.console.incident_data import incident, moment


def steps(*kinds):
    timeline = [moment(-240 + i, kind) for i, kind in enumerate(kinds)]
    return {
        step.name: (step.state, step.after_seconds)
        for step in steps_of(Incident.model_validate(incident(timeline=timeline)))
    }


def test_steps_not_reached_are_pending():
    assert set(steps().values()) == {(StepState.PENDING, None)}


def test_a_step_is_done_when_any_entry_says_so():
    found = steps("detected", "notify-failed", "notified", "action-dispatched", "action-completed")
    assert found["Notified"] == (StepState.DONE, 2)
    assert found["Action"] == (StepState.DONE, 4)
    assert found["Verified"] == (StepState.PENDING, None)


def test_an_action_that_failed_and_is_tried_again_is_under_way():
    assert steps("action-failed", "action-dispatched")["Action"][0] is StepState.PENDING


@pytest.mark.parametrize(
    ("kind", "step", "state"),
    [
        ("notify-failed", "Notified", StepState.FAILED),
        ("action-failed", "Action", StepState.FAILED),
        ("action-unknown", "Action", StepState.FAILED),
        ("action-denied", "Action", StepState.HELD),
        ("action-proposed", "Action", StepState.HELD),
        ("unverified", "Verified", StepState.FAILED),
    ],
)
def test_each_way_not_to_get_through_has_its_state(kind, step, state):
    assert steps(kind)[step][0] is state


@pytest.mark.parametrize(
    ("expression", "measured", "threshold"),
    [
        ("a > 50", "a", 50),
        ("sum by (x) (rate(a{b=~'c>1'}[5m])) >= 0.05", "sum by (x) (rate(a{b=~'c>1'}[5m]))", 0.05),
        ("a == bool 0", "a", 0),
        ("a < -1e3", "a", -1000),
        ("a > 1 and b", "a", 1),
        ("a * on (and) b > 1 unless on (x) c > 2", "a * on (and) b", 1),
        ("a > 1 or b > 2", "a > 1 or b > 2", None),
        ("band_or > 1", "band_or", 1),
        ("a > b", "a > b", None),
        ("absent(a)", "absent(a)", None),
        ('a{b=">1"}', 'a{b=">1"}', None),
        ('a{b="\\">"} != 2', 'a{b="\\">"}', 2),
    ],
)
def test_a_comparison_is_split_only_where_it_is_outermost_and_with_a_number(
    expression, measured, threshold
):
    assert split(expression) == Comparison(measured, threshold)


@given(st.text(alphabet="ab(){}[]<>=!'\"` 1.\\"))
def test_splitting_never_fails_and_keeps_a_prefix(expression):
    assert expression.strip().startswith(split(expression).measured.strip())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (math.nan, "–"),
        (0.012, "12 ms"),
        (1.5, "1.5 s"),
        (55, "55 s"),
        (60, "1 min"),
        (80, "1 min 20 s"),
        (3600, "1 h"),
        (93_784, "1 d 2 h"),
        (-80, "−1 min 20 s"),
    ],
)
def test_spans_read_as_people_say_them(seconds, words):
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (None, Unit.COUNT, "–"),
        (math.inf, Unit.BYTES, "–"),
        (0, Unit.PLAIN, "0"),
        (0.00012, Unit.PLAIN, "0.00012"),
        (1234, Unit.COUNT, "1.23k"),
        (0.0525, Unit.RATIO, "5.25 %"),
        (0.25, Unit.SECONDS, "250 ms"),
        (3 * 1024**3, Unit.BYTES, "3 GiB"),
        (2048, Unit.BYTES_PER_SECOND, "2 KiB/s"),
        (12.34, Unit.REQUESTS_PER_SECOND, "12.3 req/s"),
        (-1500, Unit.COUNT, "-1.5k"),
    ],
)
def test_amounts_are_written_in_their_unit_with_three_digits(value, unit, words):
    assert quantity(value, unit) == words


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "//elsewhere/path",
        "vbscript:x",
        "http://",
        "https://[bad",
        None,
        "runbooks/x.md",
    ],
)
def test_links_that_could_run_something_are_dropped(url):
    assert safe_link(url) == ""


def test_an_action_is_one_change_told_by_how_it_ended():
    timeline = [
        moment(-9, "action-dispatched", "first begun"),
        moment(-8, "action-failed", "first failed"),
        moment(-7, "action-dispatched", "second begun"),
        moment(-6, "action-completed", "second done"),
        moment(-5, "action-dispatched", "third begun"),
    ]
    one = Incident.model_validate(incident(timeline=timeline, title="opened"))
    events = gather(None, [one], now=NOW, recent_seconds=3600)
    assert [event.text for event in events] == [
        "third begun",
        "second done",
        "first failed",
        "opened",
    ]


def test_ordinary_links_are_kept():
    assert safe_link("https://wiki.example/run?a=b") == "https://wiki.example/run?a=b"
