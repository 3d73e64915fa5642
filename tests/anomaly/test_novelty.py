"""What has not been seen for days ranks above what comes every day."""

import numpy as np
import pytest

from anomaly.novelty import (
    BLOCK_SECONDS,
    EMPHASIS_SHORT,
    LARGEST_EXCESS,
    MEMORY_BLOCKS,
    Novelty,
)

STEP_SECONDS = 3_600.0
MEMORY_SAMPLES = int(max(MEMORY_BLOCKS) * BLOCK_SECONDS / STEP_SECONDS)
DAY_SAMPLES = 24


@pytest.fixture
def novelty():
    one = Novelty(STEP_SECONDS)
    one.resize(1)
    return one


def excesses(novelty: Novelty, deviations: list[float]) -> list[float]:
    return [excess_of(novelty, deviation, deviation) for deviation in deviations]


def excess_of(novelty: Novelty, deviation: float, sharp: float) -> float:
    return float(novelty.excess(np.array([deviation]), np.array([sharp]))[0])


def test_only_what_beats_the_record_is_new(novelty):
    assert [value > 0 for value in excesses(novelty, [3.0, 2.0, 5.0, 5.0, 4.0, 9.0])] == [
        False,
        False,
        True,
        False,
        False,
        True,
    ]


def test_a_record_is_forgotten_after_a_week(novelty):
    excesses(novelty, [50.0] + [1.0] * (MEMORY_SAMPLES // 2))
    after_days = excesses(novelty, [20.0])[0]
    excesses(novelty, [1.0] * (2 * MEMORY_SAMPLES))
    after_weeks = excesses(novelty, [20.0])[0]
    assert after_days < after_weeks


def test_what_beats_the_record_of_a_week_is_newer_than_what_beats_that_of_a_day(novelty):
    excesses(novelty, [20.0] + [1.0] * (2 * DAY_SAMPLES))
    of_a_day = excesses(novelty, [19.0])[0]
    other = Novelty(STEP_SECONDS)
    other.resize(1)
    excesses(other, [1.0] * (MEMORY_SAMPLES // 2))
    assert 0 < of_a_day < excesses(other, [19.0])[0]


def test_what_has_just_begun_is_new_before_the_smoothed_deviation_has_risen():
    novelty = Novelty(STEP_SECONDS, sharp=True)
    novelty.resize(1)
    excesses(novelty, [2.0] * 5)
    assert excess_of(novelty, 2.0, 9.0) > 0


def test_what_comes_at_the_same_time_each_day_is_new_to_the_hours_before_and_not_to_the_days(
    novelty,
):
    day = [1.0] * (DAY_SAMPLES - 1) + [9.0]
    excesses(novelty, day)
    of_the_hours = EMPHASIS_SHORT * LARGEST_EXCESS
    assert excesses(novelty, day * 10) == ([0.0] * (DAY_SAMPLES - 1) + [of_the_hours]) * 10


def test_the_second_incident_of_a_day_is_new_as_well_but_not_its_later_samples(novelty):
    excesses(novelty, [1.0] * DAY_SAMPLES + [9.0] * 2 + [1.0] * 6)
    first, *later = excesses(novelty, [9.0] * 3)
    assert first > 0
    assert later == [0.0, 0.0]


def test_how_far_a_record_is_beaten_counts_only_so_much():
    def after_a_day(deviation: float) -> float:
        novelty = Novelty(STEP_SECONDS)
        novelty.resize(1)
        excesses(novelty, [2.0] * DAY_SAMPLES)
        return excesses(novelty, [deviation])[0]

    assert after_a_day(3.0) < after_a_day(30.0) == after_a_day(3_000.0)


def test_a_missing_sample_is_not_new_and_breaks_no_record(novelty):
    assert excesses(novelty, [3.0, np.nan, 3.0]) == [0.0, 0.0, 0.0]


def test_a_forgotten_series_has_no_records(novelty):
    excesses(novelty, [3.0])
    novelty.forget(np.array([0]))
    assert excesses(novelty, [9.0]) == [0.0]
