"""Who asks too often waits; nobody else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper import rate_limit
from watchkeeper.admission import Refusal
from watchkeeper.clock import ManualClock, parse_rfc3339
from watchkeeper.rate_limit import CallerLimits, RateLimit, Rates
from watchkeeper.roles import STACK, THIS_MACHINE, Identity, Role

ANA = Identity("ana", Role.VIEWER, is_person=True)
BEN = Identity("ben", Role.VIEWER, is_person=True)
STRANGER = Refusal(401, "authentication", "not valid")
LIST, INTAKE = ("GET", "/list"), ("POST", "/intake")


class Desk:
    """Three requests and two wrong tokens a minute."""

    def __init__(self):
        self.clock = ManualClock(parse_rfc3339("2026-01-05T09:00:00Z"))
        self.rates = Rates(requests=3, wrong_tokens=2)
        self.refused = []
        self.limits = CallerLimits(
            self.clock,
            rates=lambda: self.rates,
            unlimited={INTAKE},
            on_refused=self.refused.append,
        )

    def ask(self, who, *, times=1, address="10.0.0.1", endpoint=LIST):
        for _ in range(times):
            answer = self.limits.refusal(who, address=address, endpoint=endpoint)
        return answer


@pytest.fixture
def desk():
    return Desk()


def test_who_asks_too_often_is_told_when_to_ask_again(desk):
    assert desk.ask(ANA, times=3) is None
    refusal = desk.ask(ANA)
    assert (refusal.status, refusal.retry_after_seconds) == (429, 20)
    assert "3 requests a minute from ana" in refusal.message
    desk.clock.advance(20)
    assert desk.ask(ANA) is None
    assert desk.ask(ANA) is not None
    assert desk.refused == ["requests", "requests"]


def test_one_who_asks_too_often_keeps_nobody_else_waiting(desk):
    assert desk.ask(ANA, times=4) is not None
    assert desk.ask(BEN) is None
    assert desk.ask(THIS_MACHINE, address="127.0.0.1") is None


def test_a_token_is_limited_wherever_it_is_used_and_an_address_without_one(desk):
    assert desk.ask(ANA, times=3, address="10.0.0.1") is None
    assert desk.ask(ANA, address="10.0.0.2") is not None
    assert desk.ask(THIS_MACHINE, times=4, address="127.0.0.1") is not None
    assert desk.ask(THIS_MACHINE, address="127.0.0.2") is None


def test_the_stack_itself_and_where_alerts_come_in_are_not_limited(desk):
    assert desk.ask(STACK, times=50) is None
    assert desk.ask(ANA, times=50, endpoint=INTAKE) is None
    assert desk.refused == []


def test_wrong_tokens_are_counted_by_address_and_cost_the_right_ones_nothing(desk):
    assert desk.ask(STRANGER, times=2) is None
    refusal = desk.ask(STRANGER)
    assert (refusal.status, refusal.retry_after_seconds) == (429, 30)
    assert desk.ask(STRANGER, address="10.0.0.2") is None
    assert desk.ask(ANA) is None
    assert desk.refused == ["wrong-tokens"]


def test_a_refusal_for_another_reason_stays_what_it_is(desk):
    assert desk.ask(Refusal(403, "permission", "viewer"), times=50) is None


def test_without_rates_nobody_waits(desk):
    desk.rates = Rates()
    assert desk.ask(ANA, times=50) is None
    assert desk.ask(STRANGER, times=50) is None


def test_callers_are_not_remembered_without_end(monkeypatch):
    monkeypatch.setattr(rate_limit, "MAX_CALLERS", 10)
    limit = RateLimit()
    for number in range(1000):
        limit.wait_seconds(f"10.0.0.{number}", per_minute=1, now_seconds=0)
    assert len(limit._left) == 10


@given(
    per_minute=st.floats(0.5, 600),
    pauses=st.lists(st.floats(0, 30), min_size=1, max_size=200),
)
def test_in_no_stretch_of_time_are_more_answered_than_the_rate_and_one_bucket(per_minute, pauses):
    limit = RateLimit()
    now_seconds, answered = 0.0, []
    for pause in pauses:
        now_seconds += pause
        if not limit.wait_seconds("ana", per_minute=per_minute, now_seconds=now_seconds):
            answered.append(now_seconds)
    for first, began in enumerate(answered):
        for last in range(first, len(answered)):
            allowed = max(per_minute, 1) + (answered[last] - began) * per_minute / 60
            assert last - first + 1 <= allowed + 1e-6


@given(per_minute=st.floats(0.5, 600), asked=st.integers(1, 30))
def test_who_waits_as_long_as_told_is_answered(per_minute, asked):
    limit = RateLimit()
    now_seconds = 0.0
    for _ in range(asked):
        wait = limit.wait_seconds("ana", per_minute=per_minute, now_seconds=now_seconds)
        if wait:
            now_seconds += wait + 1e-6
            assert not limit.wait_seconds("ana", per_minute=per_minute, now_seconds=now_seconds)
