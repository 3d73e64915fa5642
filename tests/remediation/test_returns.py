"""What was changed for a time is put back: in time, on demand, and across restarts."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from remediation.actuators import in_silence
from remediation.actuators.log_slow_queries import LogSlowQueries
from remediation.caretaker import return_call
from remediation.ledger import Ledger, State
from remediation.returns import Return, Returns
from remediation.settings import EndpointSettings
from remediation.work import carry_out
from tests.remediation.postgres_server import (
    ROLE,
    change_threshold,
    connect,
    wait_for_threshold,
)
from tests.remediation.test_ledger import call, open_ledger
from tests.waiting import wait_until
from watchkeeper.clock import SystemClock
from watchkeeper.configuration import load
from watchkeeper.errors import StorageError
from watchkeeper.storage import open_database, sqlite_url

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def change(made_by="first", due_at="2026-03-01T12:30:00.000Z", **fields):
    values = {"action": "log-slow-queries", "target": "orders", "parameters": {}, "state": {}}
    return Return(**values, made_by=made_by, due_at=due_at, fencing_token=1, **fields)


@pytest.fixture
def returns(tmp_path):
    open_ledger(tmp_path)  # brings the database to its present form
    return Returns(open_database(sqlite_url(tmp_path / "ledger.sqlite")))


def test_a_change_is_due_when_its_time_has_come_and_not_before(returns):
    returns.keep(change())
    assert returns.pending(due_by=NOW + timedelta(minutes=29)) == []
    assert returns.pending(due_by=NOW + timedelta(minutes=30)) == [change()]


def test_an_attempt_that_comes_to_nothing_is_followed_by_another(returns):
    returns.keep(change())
    later = NOW + timedelta(minutes=31)
    returns.attempted(change(), now=later)
    assert returns.pending(due_by=later) == []
    (again,) = returns.pending(due_by=later + timedelta(minutes=1))
    assert again.attempts == 1


def test_an_outcome_that_cannot_be_written_down_leaves_the_change_to_be_put_back(tmp_path, returns):
    ledger = open_ledger(tmp_path)
    returns.keep(change())
    with open_database(sqlite_url(tmp_path / "ledger.sqlite")).begin() as connection:
        connection.exec_driver_sql("DROP TABLE calls")
    with pytest.raises(StorageError):
        ledger.finish("return-1-first", State.SUCCEEDED, now=NOW, put_back=change())
    assert returns.pending() == [change()]


def test_a_change_that_was_prolonged_meanwhile_is_not_forgotten(tmp_path, returns):
    ledger = open_ledger(tmp_path)
    ledger.take_own(return_call(change(), now=NOW), now=NOW)
    returns.keep(change())
    returns.keep(change(made_by="second"))
    ledger.finish("return-1-first", State.SUCCEEDED, now=NOW, put_back=change())
    assert [one.made_by for one in returns.pending()] == ["second"]


def test_a_ledger_of_an_earlier_version_is_brought_forward(tmp_path):
    old = open_database(sqlite_url(tmp_path / "ledger.sqlite"))
    open_ledger(tmp_path)
    with old.begin() as connection:
        for words in (
            "DROP TABLE returns",
            "ALTER TABLE calls DROP COLUMN revert",
            "ALTER TABLE calls DROP COLUMN progress",
            "DELETE FROM schema_version WHERE version > 1",
        ):
            connection.exec_driver_sql(words)
    entry, _ = open_ledger(tmp_path).take(call(), now=NOW)
    assert (entry.revert, entry.progress) == (False, "")


@pytest.fixture
def threshold(postgres_port):
    """Wait until the server has a threshold; none is left of an earlier test."""
    with connect(postgres_port) as session:
        change_threshold(session, "RESET log_min_duration_statement", "-1")
        yield partial(wait_for_threshold, session)


@pytest.fixture
def orders(endpoint, postgres_port):
    target = {"postgres": {"port": postgres_port, "user": ROLE}}
    return lambda: endpoint(
        log_slow_queries={"orders": target},
        clear_cache={"orders": {"redis": {"port": 1}, "pattern": "orders:*"}},
    )


def slow_log(**data):
    return {"action": "log-slow-queries", "target": "orders", **data}


def kept(endpoint):
    return endpoint.http.get("/api/v1/returns").get_json()["returns"]


@pytest.mark.live
def test_a_change_is_put_back_by_itself_after_its_time(orders, threshold):
    shop = orders()
    entry = shop.finished(shop.call(**slow_log(parameters={"seconds": 1})))
    assert entry["state"] == "succeeded"
    wait_until(lambda: kept(shop) == [], what="it was put back")
    threshold("-1")
    own = shop.entry(f"return-1-{entry['idempotency_key']}")
    assert (own["state"], own["revert"]) == ("succeeded", True)


@pytest.mark.live
def test_a_change_is_put_back_by_the_next_life_of_the_endpoint(orders, threshold):
    first = orders()
    first.stop()
    assert first.finished(first.call(**slow_log(parameters={"seconds": 1})))["state"] == "succeeded"
    threshold("500ms")
    second = orders()
    wait_until(lambda: kept(second) == [], what="it was put back")
    threshold("-1")


@pytest.mark.live
def test_a_change_is_put_back_when_asked(orders, threshold):
    shop = orders()
    shop.finished(shop.call(**slow_log()))
    told = shop.finished(shop.call(**slow_log(revert=True, dry_run=True)))
    assert told["summary"] == "would put back what log-slow-queries changed"
    threshold("500ms")
    assert shop.finished(shop.call(**slow_log(revert=True)))["state"] == "succeeded"
    threshold("-1")
    assert kept(shop) == []
    nothing = shop.finished(shop.call(**slow_log(revert=True)))
    assert "has changed nothing that is to be put back" in nothing["summary"]


@pytest.mark.live
def test_a_change_is_written_down_before_it_is_made(endpoint):
    away = {"postgres": {"port": 1, "user": ROLE}}
    shop = endpoint(log_slow_queries={"orders": away})
    assert shop.finished(shop.call(**slow_log()))["state"] == "failed"
    assert kept(shop) == []  # not even its present state could be read, so nothing was changed


@pytest.mark.live
def test_an_old_return_does_not_end_what_was_prolonged_since(orders, threshold, data_dir):
    shop = orders()
    shop.finished(shop.call(**slow_log(fencing_token=4)))
    (first,) = kept(shop)
    shop.finished(shop.call(**slow_log(fencing_token=5)))
    # As when the first one fell due while the second call waited for its turn.
    ledger = open_database(sqlite_url(data_dir / "remediation" / "ledger.sqlite"))
    due = return_call(Return(**first), now=SystemClock().now())
    entry, _ = Ledger(ledger).take_own(due, now=SystemClock().now())
    allowed = load(shop.config, EndpointSettings).actions.log_slow_queries["orders"]
    worked = carry_out(
        LogSlowQueries("orders", allowed, {}), entry, Returns(ledger),
        clock=SystemClock(), tell=in_silence,
    )  # fmt: skip
    assert "was prolonged until" in worked.done.summary
    assert worked.put_back is None
    threshold("500ms")


def test_what_cannot_be_put_back_is_refused_at_once(orders):
    answer = orders().call(action="clear-cache", target="orders", revert=True)
    assert answer.status_code == 422
    assert "cannot be put back" in answer.get_json()["error"]["message"]
