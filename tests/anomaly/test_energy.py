"""Deviations are averaged the same whether all of them are known or only some."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from anomaly.energy import mean_deviation, share_followed, smoothed

energies = arrays(np.float64, (3, 4), elements=st.just(np.nan) | st.floats(0.0, 1e8))


@given(energies)
def test_the_mean_is_that_of_the_members_that_are_known(found):
    for at, mean in enumerate(mean_deviation(found)):
        known = found[np.isfinite(found[:, at]), at]
        if len(known):
            expected = mean_deviation(known[:, None])[0]
            np.testing.assert_allclose(mean, expected, rtol=1e-9, atol=1e-6)
        else:
            assert np.isnan(mean)


@given(energies, energies)
def test_an_average_takes_up_what_is_new_and_stays_where_nothing_is(before, energy):
    average = smoothed(before, energy, share_followed(5.0))
    np.testing.assert_array_equal(average[np.isnan(energy)], before[np.isnan(energy)])
    first = np.isnan(before)
    np.testing.assert_array_equal(average[first], energy[first])
    lowest, highest = np.minimum(before, energy), np.maximum(before, energy)
    both = np.isfinite(before) & np.isfinite(energy)
    assert (average[both] >= lowest[both]).all()
    assert (average[both] <= highest[both]).all()
