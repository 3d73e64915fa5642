"""Which detector a query has is decided on its own history, visibly, and can be pinned."""

from datetime import UTC, datetime

import numpy as np
import pytest

from anomaly.api import query_document
from anomaly.backtest.trial import (
    MAXIMUM_SERIES,
    Entry,
    OutOfTime,
    average_precision,
    hold_trial,
    some_series,
    winner,
)
from anomaly.ledger import Ledger
from anomaly.panel import Block
from anomaly.runner import QueryRunner
from anomaly.trials import Trials
from tests.anomaly.series import Recorded, block, noise, query, time_of
from watchkeeper.clock import ManualClock
from watchkeeper.storage import open_database, sqlite_url

DAILY = query(
    detector="robust-zscore", contenders=("seasonal-envelope",), history=3_000.0, step=10.0
)


def wandering(samples: int, seed: int = 1) -> np.ndarray:
    """Return a level that drifts slowly, which a median of the whole window cannot follow."""
    return noise(samples, seed=seed) + 40 * np.sin(np.arange(samples) / 250)


def entry(detector: str, precision: float, false_alarms: float = 0.0) -> Entry:
    return Entry(detector, precision, 0.5, false_alarms, 0.0)


def test_another_detector_must_be_clearly_better_to_take_over():
    assert winner([entry("a", 0.5), entry("b", 0.51)], "a") == "a"
    assert winner([entry("a", 0.5), entry("b", 0.6)], "a") == "b"


def test_one_that_cries_wolf_does_not_win_however_much_it_finds():
    assert winner([entry("a", 0.5, 0.1), entry("b", 0.9, 5.0)], "a") == "a"
    assert winner([entry("a", 0.5, 9.0), entry("b", 0.9, 5.0)], "a") == "b"


def test_average_precision_by_hand():
    scores, truth = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False])
    assert average_precision(scores, truth) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(scores, np.zeros(4, dtype=bool)) == 0.0


def test_a_trial_is_held_on_the_same_faults_for_all_and_can_be_repeated():
    samples = block({"/search": noise(900), "/other": noise(900, seed=2)})
    first, second = (
        hold_trial("q", DAILY, samples, in_force="robust-zscore", now_seconds=7.0) for _ in "ab"
    )
    assert first == second
    assert [one.detector for one in first.entries] == ["robust-zscore", "seasonal-envelope"]
    assert all(0.5 < one.average_precision <= 1 for one in first.entries)


def test_a_query_with_thousands_of_series_is_tried_on_a_few():
    many = Block(tuple((("n", str(at)),) for at in range(5_000)), [0.0], np.zeros((5_000, 1)))
    assert len(some_series(many).keys) == MAXIMUM_SERIES


def test_a_trial_that_takes_too_long_decides_nothing():
    with pytest.raises(OutOfTime):
        hold_trial(
            "q",
            DAILY,
            block({"/search": noise(900)}),
            in_force="robust-zscore",
            now_seconds=7.0,
            out_of_time=lambda: True,
        )


def test_too_little_history_decides_nothing():
    short = block({"/search": noise(60)})
    assert hold_trial("q", DAILY, short, in_force="robust-zscore", now_seconds=7.0) is None
    assert hold_trial("q", DAILY, block({}), in_force="robust-zscore", now_seconds=7.0) is None


@pytest.fixture
def office(tmp_path):
    """Return trials over recorded samples, with the ledger they are kept in."""
    clock = ManualClock(datetime.fromtimestamp(time_of(899), UTC))
    ledger = Ledger(open_database(sqlite_url(tmp_path / "anomaly.db")))
    reader = Recorded({f"/{at}": wandering(900, seed=at) for at in range(3)})
    return Trials(lambda _timeout: reader, ledger.trials, clock), ledger, clock, reader


def test_the_winner_is_in_force_after_a_restart_and_its_evidence_is_shown(office):
    trials, ledger, clock, reader = office
    champion = trials.hold("q", DAILY)
    settings = trials.in_force("q", DAILY)
    assert settings.detector == champion
    runner = QueryRunner("q", settings, reader=reader, ledger=ledger, clock=clock)
    shown = query_document(runner, ledger.trials.newest("q"))
    assert shown["detector"] == shown["trial"]["champion"] == champion
    assert shown["trial"]["decided_at"].startswith("2025-06-15")
    assert {one["detector"] for one in shown["trial"]["entries"]} == {
        "robust-zscore",
        "seasonal-envelope",
    }
    assert shown["pinned"] is False


def test_a_query_without_contenders_keeps_its_detector_whatever_was_decided(office):
    trials, *_ = office
    trials.hold("q", DAILY)
    pinned = DAILY.model_copy(update={"contenders": (), "detector": "isolation-forest"})
    assert trials.in_force("q", pinned) is pinned


def test_the_next_trial_is_due_a_day_after_the_last_also_after_a_restart(office):
    trials, _, clock, _ = office
    assert trials.due_in_seconds("q", DAILY) == 600.0
    trials.hold("q", DAILY)
    clock.advance(3_600)
    assert trials.due_in_seconds("q", DAILY) == pytest.approx(86_400.0 - 3_600)
