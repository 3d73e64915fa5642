"""In approve mode a person's word is needed, once, in time, and the guards still decide."""

from __future__ import annotations

import pytest

from alerting import approval, audit
from alerting.person import Person, Proof
from watchkeeper.errors import Refused
from watchkeeper.storage import writing


@pytest.fixture
def desk(make_desk):
    return make_desk(rules={"mode: auto": "mode: approve"})


def decide(desk, decision=approval.approve, by: str = "ana") -> None:
    with writing(desk.store.engine) as connection:
        decision(connection, desk.actions()[0]["idempotency_key"], by=by, now=desk.clock.now())


def test_the_story_and_the_audit_say_what_speaks_for_the_name_under_an_approval(desk):
    desk.fire()
    decide(desk, by=Person("ana", Proof.SESSION))
    [*_, told] = desk.incident()["timeline"]
    with writing(desk.store.engine) as connection:
        [entry] = [one for one in audit.newest(connection, 10) if one["event"] == "approved"]
    assert (told["text"], told["detail"]["name_is"]) == (
        "restart-service on worker: approved by ana", "session",
    )  # fmt: skip
    assert (entry["actor"], entry["detail"]["name_is"]) == ("ana", "session")


def test_nothing_is_done_before_somebody_approves(desk, endpoint):
    desk.fire()
    desk.pass_time(10)
    assert endpoint.requests == []
    decide(desk)
    desk.pass_time(20)
    assert len(endpoint.effects) == 1
    assert "approved by ana" in desk.story()
    assert desk.actions()[0]["state"] == "succeeded"


def test_an_approval_is_good_once(desk):
    desk.fire()
    decide(desk)
    with pytest.raises(Refused, match="does not wait for approval"):
        decide(desk)


def test_an_approval_comes_too_late_after_a_quarter_of_an_hour(desk, endpoint):
    desk.fire()
    desk.clock.advance(approval.VALID_SECONDS + 1)
    with pytest.raises(Refused, match="minutes ago"):
        decide(desk)
    desk.act()
    assert endpoint.requests == []


def test_the_guards_decide_again_when_it_is_approved(desk, endpoint):
    desk.fire()
    desk.clock.advance(5)
    desk.resolve()
    decide(desk)
    desk.act()
    assert endpoint.requests == []
    assert desk.actions()[0]["denied_by"] == ["not_needed"]


def test_what_is_declined_is_over(desk, endpoint):
    desk.fire()
    decide(desk, approval.decline)
    desk.pass_time(5)
    assert endpoint.requests == []
    assert "declined by ana" in desk.story()


def test_an_unknown_action_cannot_be_approved(desk):
    with pytest.raises(Refused, match="no action"), writing(desk.store.engine) as connection:
        approval.approve(connection, "act_x", by="ana", now=desk.clock.now())


def test_each_further_attempt_waits_for_a_word_of_its_own(desk, endpoint, prometheus):
    prometheus.value = 0  # it does not help
    desk.fire()
    decide(desk)
    desk.pass_time(260, step_seconds=5)
    assert [action["state"] for action in desk.actions()] == ["unverified", "proposed"]
    assert len(endpoint.calls) == 1


def test_an_attempt_nobody_needs_any_more_is_not_planned(desk, endpoint, prometheus):
    prometheus.value = 0
    desk.fire("Other")  # keeps the incident open
    desk.fire()
    decide(desk)
    desk.pass_time(10)
    desk.resolve()
    desk.pass_time(260, step_seconds=5)
    assert [action["state"] for action in desk.actions()] == ["unverified"]
    assert len(endpoint.calls) == 1
