"""What has been strange for a day is less so, in part."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.habituation import CALM_LEVEL, MEMORY_SECONDS, SHARE, Habituation

HOUR = 3_600.0
DAY_SAMPLES = int(MEMORY_SECONDS / HOUR)
STRANGE = CALM_LEVEL + 4.0
QUIET, FIRING = np.array([False]), np.array([True])


def used_to(*levels: float, step_seconds: float = HOUR) -> tuple[Habituation, list[float]]:
    one = Habituation(step_seconds)
    one.resize(1)
    return one, [float(one.lowered(np.array([level]), QUIET)[0]) for level in levels]


def test_what_has_just_begun_counts_in_full():
    _, lowered = used_to(*[CALM_LEVEL] * DAY_SAMPLES, STRANGE)
    assert lowered[-1] == pytest.approx(STRANGE)


def test_what_lasts_counts_less_with_every_hour_and_most_of_it_for_ever():
    _, lowered = used_to(*[STRANGE] * (20 * DAY_SAMPLES))
    assert all(later <= before for before, later in pairwise(lowered))
    assert lowered[-1] == pytest.approx(STRANGE - SHARE * (STRANGE - CALM_LEVEL))


def test_nobody_gets_used_to_an_incident_that_goes_on():
    one, _ = used_to(STRANGE)
    during = [one.lowered(np.array([STRANGE]), FIRING)[0] for _ in range(20 * DAY_SAMPLES)]
    assert set(during) == {during[0]}
    assert during[0] == pytest.approx(STRANGE, abs=0.1)


def test_what_has_been_over_for_days_is_strange_again():
    _, lowered = used_to(*[STRANGE] * DAY_SAMPLES, *[CALM_LEVEL] * (20 * DAY_SAMPLES), STRANGE)
    assert lowered[-1] == pytest.approx(STRANGE)


def test_an_hour_is_an_hour_at_every_step():
    _, by_hours = used_to(*[STRANGE] * (DAY_SAMPLES + 1))
    _, by_minutes = used_to(*[STRANGE] * (60 * DAY_SAMPLES + 1), step_seconds=60.0)
    assert by_minutes[-1] == pytest.approx(by_hours[-1])


def test_a_missing_sample_stays_missing_and_nobody_gets_used_to_it():
    _, lowered = used_to(STRANGE, np.nan, STRANGE)
    _, without = used_to(STRANGE, STRANGE)
    assert np.isnan(lowered[1])
    assert [lowered[0], lowered[2]] == without


def test_a_forgotten_series_is_used_to_nothing():
    one, _ = used_to(*[STRANGE] * DAY_SAMPLES)
    one.forget(np.array([0]))
    assert one.lowered(np.array([STRANGE]), QUIET)[0] == pytest.approx(STRANGE)


@given(levels=st.lists(st.floats(1.6, 18.0), min_size=1, max_size=60))
def test_no_level_is_raised_or_lowered_by_more_than_the_share_of_the_strangest(levels):
    _, lowered = used_to(*levels)
    strangest = max(max(levels) - CALM_LEVEL, 0.0)
    for level, after in zip(levels, lowered, strict=True):
        assert level - SHARE * strangest - 1e-9 <= after <= level
