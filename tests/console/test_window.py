"""The time somebody looks at stands in the address, and can be moved and shared."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.console.choices import REFRESHES_SECONDS
from dashboards.console.window import RANGES_SECONDS, Window, window_of
from tests.console.conftest import NOW

SYSTEM = "/dashboards/watchkeeper-system"
HOUR = timedelta(hours=1)
YESTERDAY = NOW - timedelta(days=1)

moments = st.none() | st.integers(1, 2**33).map(lambda at: datetime.fromtimestamp(at, UTC))
windows = st.builds(Window, st.sampled_from(sorted(RANGES_SECONDS)), moments)


@given(windows)
def test_an_address_holds_a_window(window):
    assert window_of(window.query()) == window


@given(windows)
def test_earlier_and_later_end_where_one_began_and_never_after_now(window):
    earlier = window.earlier(NOW)
    assert earlier.later(NOW).end(NOW) == window.end(NOW)
    assert window.later(NOW).end(NOW) <= NOW


@pytest.mark.parametrize("nonsense", ["", "-1", "0", "1e9", "٣", "9" * 30, "tomorrow"])
def test_a_moment_that_is_none_is_now(nonsense):
    assert window_of({"until": nonsense}).until is None


def test_a_board_asks_for_the_time_in_its_address(neighbourhood):
    asked = []
    neighbourhood.prometheus.answers["/api/v1/query_range"] = lambda parameters: asked.append(
        (float(parameters["start"]), float(parameters["end"]))
    )
    until = f"{YESTERDAY.timestamp():.0f}"
    neighbourhood.get(f"/api{SYSTEM}/panels/6?range=1h&until={until}")
    [(start, end)] = asked[:1]
    assert (YESTERDAY - HOUR).timestamp() - 15 <= start < end <= YESTERDAY.timestamp()


def test_a_number_is_the_one_of_the_chosen_moment(neighbourhood):
    asked = []
    neighbourhood.prometheus.answers["/api/v1/query"] = asked.append  # answers nothing
    neighbourhood.get(f"{SYSTEM}/panels/0?until={YESTERDAY.timestamp():.0f}")
    moments_asked = {float(one["time"]) for one in asked if "time" in one}  # others ask of now
    assert moments_asked == {YESTERDAY.timestamp()}


@pytest.mark.parametrize(("word", "seconds"), REFRESHES_SECONDS.items())
def test_a_board_is_drawn_again_as_often_as_its_address_says(neighbourhood, word, seconds):
    page = neighbourhood.get(f"{SYSTEM}?refresh={word}").text
    assert f'data-refresh-seconds="{seconds}"' in page
    assert ("every " in page) == (seconds > 0)
    assert f"refresh={word}" in page


def test_what_is_past_is_not_drawn_again(neighbourhood):
    page = neighbourhood.get(f"{SYSTEM}?refresh=5s&until={YESTERDAY.timestamp():.0f}").text
    assert 'data-refresh-seconds="0"' in page


def test_links_to_other_boards_keep_the_time_and_the_choices(neighbourhood):
    until = f"{YESTERDAY.timestamp():.0f}"
    page = neighbourhood.get(f"{SYSTEM}?range=6h&until={until}&refresh=30s&service=shop").text
    carried = f"range=6h&amp;until={until}&amp;refresh=30s&amp;service=shop"
    assert f'href="/dashboards/watchkeeper-http?{carried}"' in page
