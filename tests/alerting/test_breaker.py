"""A receiver that answers nobody is left alone, asked again after a while, and believed once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerting.breaker import FAILURES, LONGEST_PAUSE_SECONDS, Breaker
from tests.alerting.loopback import Reply


def after_failures(count: int, now_seconds: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(count):
        breaker = breaker.failed(now_seconds)
    return breaker


def test_a_few_failures_are_not_the_receivers():
    assert after_failures(FAILURES - 1).pause_seconds(0) == 0
    assert after_failures(FAILURES).pause_seconds(0) == 15


def test_a_failed_probe_doubles_the_pause_and_an_answer_ends_it():
    breaker = after_failures(FAILURES).failed(100)
    assert breaker.pause_seconds(100) == 30
    assert breaker.succeeded() == Breaker()


@given(st.lists(st.booleans(), max_size=60))
def test_the_pause_is_bounded_and_one_answer_always_ends_it(answers):
    breaker = Breaker()
    for is_answered in answers:
        breaker = breaker.succeeded() if is_answered else breaker.failed(0)
        assert breaker.pause_seconds(0) <= LONGEST_PAUSE_SECONDS
        assert not is_answered or breaker.is_trusted


def test_many_messages_do_not_hammer_a_receiver_that_is_down_and_none_is_lost(desk, slack):
    slack.is_down = True
    for number in range(8):
        desk.fire("Down", service=f"s{number}")
    for _ in range(40):
        desk.courier.step()
        desk.clock.advance(0.25)
    attempts = len(slack.requests)
    assert attempts <= FAILURES + 1
    assert not desk.courier.breaker.is_trusted
    slack.is_down = False
    desk.pass_time(400, step_seconds=5)
    assert len(slack.taken) == 8
    assert {one["state"] for one in desk.deliveries()} == {"delivered"}


def test_a_refusal_is_an_answer(desk, slack):
    slack.script = [Reply(404, b"channel_not_found") for _ in range(FAILURES + 2)]
    for number in range(FAILURES + 2):
        desk.fire("Down", service=f"s{number}")
    desk.deliver()
    assert desk.courier.breaker.is_trusted
    assert {one["state"] for one in desk.deliveries()} == {"dead"}
