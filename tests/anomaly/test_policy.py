"""Each part of the policy alone keeps a crafted spike from counting."""

import numpy as np
import pytest

from anomaly.detectors import Expectation
from anomaly.policy import Policy
from anomaly.settings import Direction, MinimumDeviation, ValidRange

CENTRE = np.array([10.0])


def policy(direction=Direction.BOTH, absolute=0.0, relative=0.0, low=None, high=None):
    return Policy(
        direction,
        MinimumDeviation(absolute=absolute, relative=relative),
        ValidRange(minimum=low, maximum=high),
    )


def scored(one: Policy, value: float) -> float:
    return float(one.apply(np.array([5.0]), np.array([value]), CENTRE)[0])


@pytest.mark.parametrize("value", [20.0, 0.0])
def test_without_a_policy_a_spike_to_either_side_counts(value):
    assert scored(policy(), value) == 5.0


def test_only_the_side_that_matters_counts():
    assert scored(policy(Direction.ABOVE), 0.0) == 1.0
    assert scored(policy(Direction.ABOVE), 20.0) == 5.0
    assert scored(policy(Direction.BELOW), 20.0) == 1.0
    assert scored(policy(Direction.BELOW), 0.0) == 5.0


def test_a_deviation_below_the_absolute_minimum_does_not_count():
    assert scored(policy(absolute=11.0), 20.0) == 1.0
    assert scored(policy(absolute=10.0), 20.0) == 5.0


def test_a_deviation_below_the_relative_minimum_does_not_count():
    assert scored(policy(relative=1.1), 20.0) == 1.0
    assert scored(policy(relative=1.0), 20.0) == 5.0


def test_both_minima_have_to_be_exceeded():
    assert scored(policy(absolute=1.0, relative=2.0), 20.0) == 1.0
    assert scored(policy(absolute=20.0, relative=0.1), 20.0) == 1.0


def test_values_out_of_range_and_infinities_are_missing():
    values = np.array([-1.0, 0.0, 1.0, 2.0, np.inf, -np.inf, np.nan])
    admitted = policy(low=0.0, high=1.0).admissible(values)
    np.testing.assert_array_equal(admitted, [np.nan, 0.0, 1.0, np.nan, np.nan, np.nan, np.nan])


def test_a_score_that_is_unknown_stays_unknown():
    score = policy(Direction.ABOVE, absolute=1.0).apply(np.array([np.nan]), CENTRE, CENTRE)
    assert np.isnan(score[0])


def test_the_band_is_where_the_score_would_pass_one():
    expected = Expectation(CENTRE, np.array([1.0]))
    wide = policy(absolute=6.0).band(expected, np.array([4.0]))
    narrow = policy(absolute=2.0).band(expected, np.array([4.0]))
    assert (wide.lower[0], wide.upper[0]) == (4.0, 16.0)
    assert (narrow.lower[0], narrow.upper[0]) == (6.0, 14.0)


def test_the_band_ends_where_values_stop_being_valid():
    expected = Expectation(CENTRE, np.array([5.0]))
    band = policy(low=0.0, high=25.0).band(expected, np.array([4.0]))
    assert (band.lower[0], band.upper[0]) == (0.0, 25.0)
