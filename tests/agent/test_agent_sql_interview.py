"""A server is asked no more than it can bear."""

from hypothesis import given
from hypothesis import strategies as st

from agent.sql.interview import BUSY_RATIO, MAX_INTERVALS, pause_seconds

seconds = st.floats(min_value=0, max_value=1e4)


def test_a_quick_question_is_asked_at_every_interval():
    assert pause_seconds(15.0, 0.010) == 15.0


def test_a_question_that_takes_long_is_asked_more_rarely():
    assert pause_seconds(15.0, 0.5) == 50.0


def test_however_long_a_question_takes_it_is_asked_again():
    assert pause_seconds(15.0, 60.0) == 300.0


@given(seconds, seconds)
def test_the_pause_is_at_least_one_interval_and_keeps_the_server_free(interval, duration):
    pause = pause_seconds(interval, duration)
    assert interval <= pause <= max(interval, MAX_INTERVALS * interval)
    assert duration <= BUSY_RATIO * pause * 1.000001 or pause >= MAX_INTERVALS * interval
