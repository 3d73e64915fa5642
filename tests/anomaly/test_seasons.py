"""Seasons that are longer than the history, across a restart."""

import numpy as np
import pytest

from anomaly.evaluation import QueryEvaluation
from anomaly.ledger import Ledger
from anomaly.panel import Block
from anomaly.season import Season, SeasonKind, season_of
from anomaly.seasons import Profile, Seasons, decoded, encoded
from anomaly.settings import QuerySettings
from tests.anomaly.series import key
from watchkeeper.storage import open_database, sqlite_url

STEP = 1_800.0
DAY = 48
WEEK = 7 * DAY
BEGIN = 1_750_032_000.0
KEY = key("/report")
SETTINGS = QuerySettings(
    expression="load",
    step=STEP,
    cadence=STEP,
    history=86_400.0,
    minimum_history=10 * STEP,
    season="weekly",
    detector="ensemble",
    envelope="seasonal-envelope",
)
WEEKLY = season_of(SeasonKind.WEEKLY, "UTC")


def weeks(count: int) -> np.ndarray:
    """Return ten, with noise, and on one day of each week a little more for some hours."""
    values = 10 + 0.3 * np.random.default_rng(3).normal(size=count * WEEK)
    for week in range(count):
        values[week * WEEK + 100 : week * WEEK + 110] += 1
    return values


def block(values: np.ndarray, first: int, last: int) -> Block:
    times = [BEGIN + at * STEP for at in range(first, last)]
    return Block((KEY,), times, values[None, first:last])


def expected_at(evaluation: QueryEvaluation, values: np.ndarray, sample: int) -> float:
    """Return what an evaluation that has judged all before expects of a sample."""
    evaluation.advance(block(values, 0, sample + 1))
    view = evaluation.view_of(KEY, BEGIN + sample * STEP)
    assert view is not None
    assert view.expected is not None
    return view.expected


@pytest.fixture
def ledger(tmp_path):
    return Ledger(open_database(sqlite_url(tmp_path / "anomaly.db")))


def test_a_week_is_known_after_a_restart_though_only_a_day_can_be_read_again(ledger):
    values, now = weeks(5), 4 * WEEK + 60
    running = QueryEvaluation("load", SETTINGS)
    running.advance(block(values, 0, now))
    known = running.seasons()
    assert known is not None
    ledger.seasons.save("load", {0: known})
    again = QueryEvaluation("load", SETTINGS, seasons=ledger.seasons.of("load", WEEKLY, [0]))
    forgetful = QueryEvaluation("load", SETTINGS)
    for one in (again, forgetful):
        one.advance(block(values, now - DAY, now))
    busy = 4 * WEEK + 103
    right = expected_at(running, values, busy)
    assert expected_at(again, values, busy) == pytest.approx(right, abs=0.05)
    assert expected_at(forgetful, values, busy) < right - 0.15


def test_no_sample_teaches_a_profile_twice():
    values, now = weeks(3), 2 * WEEK + 60
    running = QueryEvaluation("load", SETTINGS)
    running.advance(block(values, 0, now))
    known = running.seasons()
    again = QueryEvaluation("load", SETTINGS, seasons=[known])
    again.advance(block(values, now - DAY, now))
    for one in (running, again):
        one.advance(block(values, now, now + DAY))
    counted, taught = again.seasons().profiles[KEY], running.seasons().profiles[KEY]
    np.testing.assert_array_equal(counted.samples, taught.samples)


def test_a_season_that_the_history_holds_is_learned_from_it():
    daily = SETTINGS.model_copy(update={"season": SeasonKind.DAILY})
    evaluation = QueryEvaluation("load", daily)
    evaluation.advance(block(weeks(1), 0, WEEK))
    assert evaluation.seasons() is None


def test_a_word_of_feedback_does_not_cost_what_is_known_of_a_week():
    values, now = weeks(5), 4 * WEEK + 60
    running = QueryEvaluation("load", SETTINGS)
    running.advance(block(values, 0, now))
    corrected, busy = running.corrected([]), 4 * WEEK + 103
    assert expected_at(corrected, values, busy) == pytest.approx(
        expected_at(running, values, busy), abs=0.05
    )


def test_profiles_are_read_back_as_they_were_and_never_as_those_of_another_season():
    profile = Profile(np.arange(4, dtype=np.float32), np.ones(4, dtype=np.float32))
    season = Season(86_400.0, 4)
    back = decoded(encoded(Seasons(season, 7.0, {KEY: profile})), season)
    assert back is not None
    assert (back.until_seconds, list(back.profiles)) == (7.0, [KEY])
    np.testing.assert_array_equal(back.profiles[KEY].distance, profile.distance)
    assert decoded(encoded(Seasons(season, 7.0, {KEY: profile})), Season(86_400.0, 8)) is None


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x04pickle", b"PK\x03\x04" + bytes(40)])
def test_what_cannot_be_read_is_learned_anew(content):
    assert decoded(content, WEEKLY) is None


def test_each_shard_has_its_own(ledger):
    season = Season(86_400.0, 1)
    profile = Profile(np.zeros(1, dtype=np.float32), np.zeros(1, dtype=np.float32))
    ledger.seasons.save(
        "q", {at: Seasons(season, float(at), {key(f"/{at}"): profile}) for at in range(3)}
    )
    ledger.seasons.save("q", {1: Seasons(season, 9.0, {key("/1"): profile})})
    found = ledger.seasons.of("q", season, {0, 1})
    assert sorted(one.until_seconds for one in found) == [0.0, 9.0]
