"""Every forecaster keeps the same contract, whatever it computes inside."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.forecast import FORECASTERS, open_forecaster

PERIOD = 12
HORIZON = 30

every_forecaster = pytest.mark.parametrize("name", list(FORECASTERS))


def waves(samples: int, *, growth: float = 0.0, noise: float = 0.1, seed: int = 5) -> np.ndarray:
    """Return two series that come again every period, and grow by so much a sample."""
    at = np.arange(samples)
    random = np.random.default_rng(seed)
    wave = np.sin(2 * np.pi * at / PERIOD)
    return np.vstack([5 + wave, 50 - 3 * wave]) + growth * at + noise * random.normal(
        size=(2, samples)
    )  # fmt: skip


def forecast(name: str, history: np.ndarray, *origins: int, period: int = PERIOD) -> np.ndarray:
    return open_forecaster(name, period).forecast(history, origins or [history.shape[1]], HORIZON)


@every_forecaster
def test_there_is_a_finite_path_for_each_origin_and_series(name):
    paths = forecast(name, waves(60), 2, 13, 24, 60)
    assert paths.shape == (4, 2, HORIZON)
    assert np.isfinite(paths).all()


@every_forecaster
@settings(max_examples=10, deadline=None)
@given(st.integers(2, 59), st.floats(-1e6, 1e6))
def test_what_came_later_changes_nothing_that_was_said_before(name, origin, later):
    history = waves(60)
    changed = history.copy()
    changed[:, origin:] = later
    np.testing.assert_array_equal(
        forecast(name, history, origin, 60)[0], forecast(name, changed, origin, 60)[0]
    )


@every_forecaster
def test_a_series_is_forecast_alike_in_whatever_company(name):
    history = waves(60)
    np.testing.assert_allclose(forecast(name, history)[:, :1], forecast(name, history[:1]))


@every_forecaster
@pytest.mark.parametrize("period", [1, PERIOD])
def test_a_constant_series_stays_as_it_is(name, period):
    paths = forecast(name, np.full((1, 50), 7.0), period=period)
    np.testing.assert_allclose(paths, 7.0)


@every_forecaster
@settings(max_examples=10, deadline=None)
@given(st.integers(-20, 20), st.integers(-1_000, 1_000))
def test_units_and_offsets_change_no_forecast(name, exponent, shift):
    scale = 2.0**exponent
    moved = forecast(name, scale * waves(60) + shift)
    np.testing.assert_allclose(
        moved, scale * forecast(name, waves(60)) + shift, rtol=1e-6, atol=1e-6 * scale
    )


@every_forecaster
def test_what_comes_again_every_period_is_expected_again(name):
    history = waves(120 + HORIZON)
    error = np.abs(forecast(name, history[:, :120])[0] - history[:, 120:])
    assert error.mean() < 0.35


@pytest.mark.parametrize("name", ["seasonal-drift", "holt-winters"])
@pytest.mark.parametrize("period", [1, PERIOD])
def test_what_grows_goes_on_growing(name, period):
    history = waves(240 + HORIZON, growth=0.5, noise=0.05)
    ahead = forecast(name, history[:, :240], period=period)[0]
    grown = ahead[:, -PERIOD:].mean(axis=1) - history[:, 240 - PERIOD : 240].mean(axis=1)
    np.testing.assert_allclose(grown, 0.5 * HORIZON, rtol=0.2)


def test_one_exception_does_not_become_growth():
    history = waves(240, noise=0.0)
    history[:, 230] += 1e6
    ahead = forecast("seasonal-drift", history)[0]
    assert (np.median(np.abs(ahead - waves(240 + HORIZON, noise=0.0)[:, 240:]), axis=1) < 1).all()
