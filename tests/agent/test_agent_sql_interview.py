"""A server is asked no more than it can bear."""

import time

from hypothesis import given
from hypothesis import strategies as st

from agent.sql.interview import BUSY_RATIO, MAX_INTERVALS, Interview, Outcome, pause_seconds
from agent.sql.question import Question, by_column
from watchkeeper.catalogue import postgres

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


class Server:
    """One whose questions use up the run as they are told to."""

    version = 1
    is_lost = False

    def __init__(self):
        self.words = {}
        self.asked = []

    def learn(self):
        """Nothing changes here."""

    def ask(self, sql):
        self.asked.append(sql)
        return [{"value": len(self.asked)}]

    def close(self):
        """Nothing is open."""


def interviewing(server, quick, slow=()):
    def question(name):
        return Question(name, name, by_column({"value": postgres.UP}))

    return Interview(
        "s", lambda: server, quick=[question(name) for name in quick],
        slow=[question(name) for name in slow], slow_interval_seconds=0.0, question_seconds=10.0,
        outcome=Outcome(None, postgres.QUESTION_SUCCESS, postgres.QUESTION_DURATION),
    )  # fmt: skip


def told(families):
    """The values in their order, and by question whether it was answered."""
    values, success = [], {}
    for family in families:
        if family.metric is postgres.UP:
            values += [value for _, value in family.samples]
        elif family.metric is postgres.QUESTION_SUCCESS:
            success = {labels[1]: value for labels, value in family.samples}
    return values, success


def test_a_question_that_could_outlast_the_run_is_not_begun_and_keeps_its_answer():
    server = Server()
    interview = interviewing(server, ["a", "b"], ["c"])
    everything = told(interview.collect())
    assert everything == ([1, 2, 3], {"a": 1, "b": 1, "facts": 1, "c": 1})
    values, success = told(interview.collect(time.monotonic() + 9))
    assert server.asked == ["a", "b", "c"]
    assert values == [1, 2, 3]
    assert (success["a"], success["b"]) == (0, 0)


def test_what_there_was_no_time_for_is_asked_first_the_next_time():
    class Slow(Server):
        def ask(self, sql):
            interview._ends_at = 0.0  # the first question takes all the time there is
            return super().ask(sql)

    server = Slow()
    interview = interviewing(server, ["a", "b", "c"])
    for _ in range(4):
        list(interview.collect())
    assert server.asked == ["a", "b", "c", "a"]


def test_what_was_answered_before_the_connection_was_lost_is_not_told_again():
    interview = interviewing(Server(), ["a"], ["b"])
    assert told(interview.collect())[0] == [1, 2]
    interview.close()
    assert told(interview.collect(time.monotonic() + 9))[0] == []
