"""Answers kept for a moment: one question for everybody, and never an old answer for long."""

import threading

import pytest

from dashboards.console.recent import MOST_ANSWERS, Recent
from watchkeeper.errors import UpstreamError


class Source:
    """Counts how often it is asked."""

    def __init__(self):
        self.asked = 0
        self.fails = False

    def __call__(self):
        self.asked += 1
        if self.fails:
            raise UpstreamError("it is down")
        return self.asked


class Time:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def recent(time):
    return Recent(5.0, monotonic=time)


def test_a_fresh_answer_is_given_again_and_an_old_one_is_not(recent, time):
    source = Source()
    assert [recent.get("a", source), recent.get("a", source)] == [1, 1]
    time.now += 5.1
    assert recent.get("a", source) == 2


def test_other_questions_have_answers_of_their_own(recent):
    source = Source()
    assert [recent.get("a", source), recent.get("b", source)] == [1, 2]


def test_a_failure_is_not_asked_for_again_by_everybody(recent, time):
    source = Source()
    source.fails = True
    for _ in range(3):
        with pytest.raises(UpstreamError, match="it is down"):
            recent.get("a", source)
    assert source.asked == 1
    time.now += 5.1
    source.fails = False
    assert recent.get("a", source) == 2


def test_those_who_ask_at_the_same_time_wait_for_one_answer(recent):
    started, go_on, answers = threading.Event(), threading.Event(), []

    def slow():
        started.set()
        assert go_on.wait(10)
        return "answer"

    def never():
        raise AssertionError("asked twice")

    first = threading.Thread(target=lambda: answers.append(recent.get("a", slow)))
    second = threading.Thread(target=lambda: answers.append(recent.get("a", never)))
    first.start()
    assert started.wait(10)
    second.start()
    go_on.set()
    first.join(10)
    second.join(10)
    assert answers == ["answer", "answer"]


def test_after_a_deed_everything_is_asked_anew(recent):
    source = Source()
    recent.get("a", source)
    recent.forget()
    assert recent.get("a", source) == 2


def test_only_so_many_answers_are_kept(recent):
    source = Source()
    for key in range(MOST_ANSWERS + 1):
        recent.get(key, source)
    asked = source.asked
    recent.get(MOST_ANSWERS, source)
    assert source.asked == asked
    recent.get(0, source)
    assert source.asked == asked + 1
