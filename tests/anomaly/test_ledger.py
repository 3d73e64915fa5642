"""What survives a restart."""

import pytest

from anomaly.backtest.trial import Trial
from anomaly.episodes import Ending, Episode
from anomaly.ledger import MIGRATIONS, Ledger
from tests.anomaly.series import key
from watchkeeper.storage import migrate, open_database, sqlite_url, writing

OPEN = Episode("response-time", key("/search"), 1_000.0)
OVER = Episode("response-time", key("/other"), 500.0, 700.0, Ending.RECOVERED)


@pytest.fixture
def reopened(tmp_path):
    """Return a function that opens the same file anew each time."""
    return lambda: Ledger(open_database(sqlite_url(tmp_path / "anomaly.db")))


def test_episodes_and_how_far_a_query_was_judged_are_there_after_a_restart(reopened):
    reopened().save("response-time", [OPEN, OVER], 1_200.0)
    assert reopened().episodes("response-time", since_seconds=0.0) == [OVER, OPEN]
    assert reopened().judged_until_seconds("response-time") == {0: 1_200.0}


def test_a_query_never_judged_has_no_past(reopened):
    assert reopened().judged_until_seconds("response-time") == {}
    assert reopened().episodes("response-time", since_seconds=0.0) == []


def test_an_episode_saved_again_is_the_same_episode(reopened):
    ledger = reopened()
    ledger.save("response-time", [OPEN], 1_200.0)
    ended = OPEN.end(1_300.0, Ending.RECOVERED)
    ledger.save("response-time", [ended], 1_300.0)
    assert ledger.episodes("response-time", since_seconds=0.0) == [ended]


def test_what_ended_before_the_window_is_left_out_and_what_runs_is_not(reopened):
    ledger = reopened()
    ledger.save("response-time", [OPEN, OVER], 1_200.0)
    assert ledger.episodes("response-time", since_seconds=900.0) == [OPEN]


def test_each_query_has_its_own(reopened):
    ledger = reopened()
    ledger.save("response-time", [OPEN], 1_200.0)
    assert ledger.episodes("memory", since_seconds=0.0) == []
    assert ledger.judged_until_seconds("memory") == {}


def test_old_rows_go_and_what_is_under_way_or_was_said_stays(reopened):
    ledger = reopened()
    ledger.save("response-time", [OPEN, OVER], 1_200.0)
    for decided in (100.0, 200.0):
        ledger.trials.add(Trial("response-time", decided, "ensemble", ()))
    assert ledger.forget_before(800.0) == 2
    assert ledger.episodes("response-time", since_seconds=0.0) == [OPEN]
    assert ledger.trials.newest("response-time").decided_seconds == 200.0
    assert ledger.forget_before(800.0) == 0


def test_each_shard_is_judged_as_far_as_its_holder_came(reopened):
    ledger = reopened()
    ledger.save("response-time", [], 1_200.0, shards=[0, 2])
    ledger.save("response-time", [], 1_300.0, shards=[2])
    assert ledger.judged_until_seconds("response-time") == {0: 1_200.0, 2: 1_300.0}


def test_a_database_of_the_first_release_is_read(tmp_path):
    engine = open_database(sqlite_url(tmp_path / "old.db"))
    migrate(engine, MIGRATIONS[:1])
    with writing(engine) as connection:
        connection.exec_driver_sql(
            "INSERT INTO episodes (id, query, labels, started_seconds)"
            " VALUES ('a', 'response-time', '{\"service\": \"x\"}', 5.0)"
        )
        connection.exec_driver_sql("INSERT INTO judged VALUES ('response-time', 77.0)")
    ledger = Ledger(engine)
    (kept,) = ledger.episodes("response-time", since_seconds=0.0)
    assert (kept.key, kept.is_open, kept.habitual) == ((("service", "x"),), True, False)
    assert ledger.judged_until_seconds("response-time") == {0: 77.0}
