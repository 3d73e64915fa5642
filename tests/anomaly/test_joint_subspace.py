"""How the channels of an entity are made comparable, and how they usually move together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.joint_subspace import KNEE_SPREADS, bent, whitening_of


def test_windows_that_hold_nothing_change_nothing():
    rows = np.random.default_rng(2).normal(size=(60, 8))
    mean, whitening = whitening_of(rows)
    beside, whitened = whitening_of(np.vstack([rows, np.full((5, 8), np.nan)]))
    np.testing.assert_allclose(beside, mean, atol=1e-12)
    np.testing.assert_allclose(whitened @ whitened.T, whitening @ whitening.T, rtol=1e-9)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_within_the_knee_a_distance_is_itself_and_beyond_it_grows_by_its_logarithm(distances):
    found = bent(10 + 2 * np.array([distances]), np.array([[10.0]]), np.array([[2.0]]))[0]
    for distance, shown in zip(distances, found.tolist(), strict=True):
        length = abs(distance)
        grown = length
        if length > KNEE_SPREADS:
            grown = KNEE_SPREADS * (1 + np.log(length / KNEE_SPREADS))
        assert shown == pytest.approx(np.copysign(grown, distance), abs=1e-9, rel=1e-9)
