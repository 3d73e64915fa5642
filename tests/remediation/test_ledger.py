from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram

from remediation.actuators import Done
from remediation.call import Call
from remediation.crew import Crew
from remediation.ledger import Ledger, State
from remediation.refusal import CallRefused, Outcome
from remediation.returns import Returns
from remediation.settings import EndpointSettings
from tests.waiting import wait_until
from watchkeeper.clock import SystemClock
from watchkeeper.storage import open_database, sqlite_url

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def call(key="k", **fields):
    values = {
        "action": "restart-service",
        "target": "web",
        "fencing_token": 1,
        "expires_at": NOW + timedelta(minutes=5),
        **fields,
    }
    return Call(idempotency_key=key, **values)


def open_ledger(directory):
    return Ledger(open_database(sqlite_url(directory / "ledger.sqlite")))


@pytest.fixture
def ledger(tmp_path):
    return open_ledger(tmp_path)


def refusal(ledger, asked, now=NOW):
    with pytest.raises(CallRefused) as found:
        ledger.take(asked, now=now)
    assert found.value.status == 409
    return found.value.outcome


def test_a_call_is_accepted_once_and_the_same_key_gives_the_first_one(ledger):
    first, is_new = ledger.take(call(parameters={"instance": 1}), now=NOW)
    again, is_new_again = ledger.take(call(parameters={"instance": 2}), now=NOW)
    assert (is_new, is_new_again) == (True, False)
    assert again == first
    assert first.state is State.ACCEPTED


def test_a_known_key_is_answered_even_when_it_has_expired(ledger):
    first, _ = ledger.take(call(), now=NOW)
    assert ledger.take(call(), now=NOW + timedelta(days=1)) == (first, False)


def test_copies_that_arrive_together_are_one_call(ledger):
    with ThreadPoolExecutor(8) as senders:
        taken = list(senders.map(lambda _: ledger.take(call(), now=NOW)[1], range(24)))
    assert taken.count(True) == 1


def test_an_expired_call_is_refused_and_leaves_no_trace(ledger):
    assert refusal(ledger, call(), now=NOW + timedelta(minutes=5)) is Outcome.EXPIRED
    assert ledger.find("k") is None


def test_an_older_fencing_token_than_seen_for_the_target_is_refused(ledger):
    ledger.take(call("a", fencing_token=7), now=NOW)
    assert refusal(ledger, call("b", fencing_token=6)) is Outcome.FENCED
    assert ledger.take(call("c", fencing_token=7), now=NOW)[1]


def test_tokens_of_other_targets_do_not_matter(ledger):
    ledger.take(call("a", fencing_token=7), now=NOW)
    assert ledger.take(call("b", target="db", fencing_token=1), now=NOW)[1]


def test_a_dry_run_does_not_fence_a_real_call_out(ledger):
    ledger.take(call("a", fencing_token=9, dry_run=True), now=NOW)
    assert ledger.take(call("b", fencing_token=8), now=NOW)[1]


def test_the_newest_token_survives_a_restart(tmp_path):
    open_ledger(tmp_path).take(call("a", fencing_token=7), now=NOW)
    assert refusal(open_ledger(tmp_path), call("b", fencing_token=6)) is Outcome.FENCED


@given(st.lists(st.integers(0, 20), min_size=1, max_size=15))
def test_the_tokens_taken_for_a_target_never_go_back(tokens):
    ledger = Ledger(open_database("sqlite://"))
    taken = []
    for number, token in enumerate(tokens):
        try:
            ledger.take(call(str(number), fencing_token=token), now=NOW)
        except CallRefused:
            assert token < max(taken)
        else:
            taken.append(token)
    assert taken == sorted(taken)


def test_what_was_running_when_we_ended_is_interrupted_and_what_waited_goes_on(tmp_path):
    ledger = open_ledger(tmp_path)
    for key in ("running", "waiting", "done"):
        ledger.take(call(key), now=NOW)
    ledger.begin("running")
    ledger.begin("done")
    ledger.finish("done", State.SUCCEEDED, now=NOW, summary="did it")
    reopened = open_ledger(tmp_path)
    assert [entry.idempotency_key for entry in reopened.recover(now=NOW)] == ["waiting"]
    assert reopened.find("running").state is State.INTERRUPTED
    assert "not known" in reopened.find("running").error
    assert reopened.find("done").state is State.SUCCEEDED


def test_a_call_is_begun_once(ledger):
    ledger.take(call(), now=NOW)
    assert ledger.begin("k")
    assert not ledger.begin("k")


def test_the_newest_calls_come_first(ledger):
    for key in ("a", "b", "c"):
        ledger.take(call(key), now=NOW)
    assert [entry.idempotency_key for entry in ledger.newest(2)] == ["c", "b"]


def test_an_end_whose_detail_cannot_be_kept_is_noted_and_the_next_has_its_turn(tmp_path):
    class Odd:
        def perform(self, _tell):
            return Done("done", {"value": Decimal("1.5")})

    registry = CollectorRegistry()
    ledger = open_ledger(tmp_path)
    crew = Crew(
        ledger, Returns(open_database(sqlite_url(tmp_path / "ledger.sqlite"))), EndpointSettings,
        clock=SystemClock(), calls=Counter("calls", "x", ["action", "state"], registry=registry),
        seconds=Histogram("seconds", "x", ["action"], registry=registry),
    )  # fmt: skip
    crew._actuator = lambda _asked: Odd()
    for key in ("first", "second"):
        asked = call(key, expires_at=SystemClock().now() + timedelta(hours=1))
        crew.take_on(ledger.take(asked, now=SystemClock().now())[0])

    def both_ended():
        found = [ledger.find(key) for key in ("first", "second")]
        return [(one.state, one.summary) for one in found] == [(State.SUCCEEDED, "done")] * 2

    wait_until(both_ended, what="both are noted")
    assert "not JSON serializable" in ledger.find("first").detail["not_kept"]
