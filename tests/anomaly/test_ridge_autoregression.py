"""What the last samples and those of yesterday say, also of a series that began only now."""

import numpy as np

from anomaly.detectors import Terms
from anomaly.detectors.ridge_autoregression import fit_series, lags_of

HOUR = 3_600.0
TERMS = Terms(
    step_seconds=HOUR, history_seconds=20 * 24 * HOUR, minimum_samples=20, smallest_spread=0.0
)
LAGS = lags_of(HOUR, 20 * 24)


def wandering(samples: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    values = np.zeros(samples)
    for at in range(1, samples):
        values[at] = 0.9 * values[at - 1] + rng.normal()
    return values


def test_a_series_that_began_within_the_window_is_predicted_though_it_has_no_yesterday():
    window = np.full((2, 480), np.nan)
    window[0] = wandering(480)
    window[1, -24:] = window[0, -24:]
    fit = fit_series(window, LAGS, TERMS)
    assert 0.2 < fit.residual_spread[1] < 1.5
    assert np.abs(fit.coefficients[1]).max() > 0.1


def test_a_gap_of_a_day_leaves_the_rest_to_learn_from():
    window = wandering(480)[None, :]
    whole = fit_series(window, LAGS, TERMS)
    window[0, 200:224] = np.nan
    gapped = fit_series(window, LAGS, TERMS)
    np.testing.assert_allclose(gapped.residual_spread, whole.residual_spread, rtol=0.2)
