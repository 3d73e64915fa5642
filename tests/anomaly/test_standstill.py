"""Traffic that falls to nothing and values that freeze, where no single value gives it away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.detectors.standstill import standing_still
from tests.anomaly.series import evaluated, noise, scores_of

POLICY = {"detector": "standstill", "envelope": "robust-zscore"}


def swinging(samples: int, *, seed: int = 7) -> np.ndarray:
    """Return traffic whose quiet moments come close to nothing, and never reach it."""
    return 0.5 + np.random.default_rng(seed).exponential(10.0, samples)


def test_traffic_that_falls_to_nothing_alerts_though_its_level_says_nothing():
    values = swinging(300)
    values[250:] = 0.0
    assert evaluated(values, detector="robust-zscore").episodes() == []
    (episode,) = evaluated(values, **POLICY).episodes()
    assert episode.is_open


def test_a_value_that_freezes_where_it_often_is_alerts():
    values = noise(300)
    values[250:] = np.median(values)
    (episode,) = evaluated(values, **POLICY).episodes()
    assert episode.is_open


def test_what_is_idle_every_few_minutes_may_be_idle_as_long_again():
    values = swinging(300)
    values[np.arange(300) % 30 < 8] = 0.0
    assert evaluated(values, **POLICY).episodes() == []


def test_a_series_that_never_moves_may_go_on_not_moving():
    assert np.nanmax(scores_of(evaluated(np.full(300, 3.0), **POLICY))) <= 1


def test_gaps_neither_end_a_standstill_nor_are_one():
    frozen, gap = swinging(300), swinging(300)
    frozen[250:] = 0.0
    frozen[252:262] = np.nan
    gap[250:280] = np.nan
    assert len(evaluated(frozen, **POLICY).episodes()) == 1
    assert evaluated(gap, **POLICY).episodes() == []


@pytest.mark.parametrize(
    ("values", "longest"), [([1], 1), ([1, 1, 1], 3), ([1, 2, 2, 1, 1, 1], 3), ([1, 2, 3], 1)]
)
def test_the_longest_run_is_known(values, longest):
    assert standing_still(np.array(values, dtype=np.float32))[0] == longest


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_each_further_sample_is_a_surprise_and_less_of_one_where_it_happens_often(values):
    rows = np.array(values, dtype=np.float32)
    _, surprise = standing_still(rows)
    _, less = standing_still(np.append(rows, rows[-1]))
    assert 0 < less < surprise
