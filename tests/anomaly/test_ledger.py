"""What survives a restart."""

import pytest

from anomaly.episodes import Ending, Episode
from anomaly.ledger import Ledger
from tests.anomaly.series import key
from watchkeeper.storage import open_database, sqlite_url

OPEN = Episode("response-time", key("/search"), 1_000.0)
OVER = Episode("response-time", key("/other"), 500.0, 700.0, Ending.RECOVERED)


@pytest.fixture
def reopened(tmp_path):
    """Return a function that opens the same file anew each time."""
    return lambda: Ledger(open_database(sqlite_url(tmp_path / "anomaly.db")))


def test_episodes_and_how_far_a_query_was_judged_are_there_after_a_restart(reopened):
    reopened().save("response-time", [OPEN, OVER], 1_200.0)
    assert reopened().episodes("response-time", since_seconds=0.0) == [OVER, OPEN]
    assert reopened().judged_until_seconds("response-time") == 1_200.0


def test_a_query_never_judged_has_no_past(reopened):
    assert reopened().judged_until_seconds("response-time") is None
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
    assert ledger.judged_until_seconds("memory") is None
