"""What survives a restart."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from anomaly.backtest.trial import Trial
from anomaly.episodes import Ending, Episode
from anomaly.ledger import MIGRATIONS, Ledger
from anomaly.season import SeasonKind, season_of
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


@pytest.mark.parametrize("schema", [1, 5, 6])
def test_the_state_of_an_earlier_release_loads(tmp_path, schema):
    state = Path(__file__).parent / "state" / f"schema-{schema}.sql"
    with closing(sqlite3.connect(tmp_path / "anomaly.db")) as database:
        database.executescript(state.read_text(encoding="utf-8"))
    ledger = Ledger(open_database(sqlite_url(tmp_path / "anomaly.db")))
    recovered, under_way = ledger.episodes("response-time", since_seconds=0.0)
    assert (recovered.id, recovered.ending) == ("29bccf80cc58c5fd", Ending.RECOVERED)
    assert (under_way.id, under_way.is_open) == ("b8af749d62a97b6e", True)
    assert ledger.judged_until_seconds("response-time") == {0: 1_750_002_600.0}
    words, trial = ledger.feedback.all(), ledger.trials.newest("response-time")
    if schema >= 5:
        assert [(word.id, word.kind, word.by) for word in words] == [("f1", "not-a-problem", "ada")]
        assert trial is not None
        assert trial.champion == "ensemble"
    else:
        assert (words, trial) == ([], None)
    seasons = ledger.seasons.of("response-time", season_of(SeasonKind.WEEKLY, "UTC"), [0])
    assert [one.until_seconds for one in seasons] == [1_750_000_000.0] * (schema >= 6)
    ledger.save(
        "response-time", [under_way.end(1_750_003_000.0, Ending.RECOVERED)], 1_750_003_000.0
    )
    assert not any(one.is_open for one in ledger.episodes("response-time", since_seconds=0.0))


def test_there_is_a_state_of_the_schema_before_the_newest_to_load():
    kept = {
        int(file.stem.partition("-")[2]) for file in (Path(__file__).parent / "state").iterdir()
    }
    assert len(MIGRATIONS) - 1 in kept
