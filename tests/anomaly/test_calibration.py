"""A score above 1 means the same for every detector."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.calibration import ALARM_RATE, Calibration
from anomaly.settings import Sensitivity

RATE = 1e-3


def taught(deviations: np.ndarray, rate: float = RATE) -> tuple[Calibration, np.ndarray]:
    """Return a calibration that saw series x samples, and each score it gave beforehand."""
    calibration = Calibration(rate)
    calibration.resize(len(deviations))
    scores = []
    for column in deviations.T:
        scores.append(calibration.score(column))
        calibration.learn(column, np.ones(len(deviations), dtype=np.bool_))
    return calibration, np.array(scores).T


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("normal", lambda rng, shape: np.abs(rng.normal(size=shape))),
        ("exponential", lambda rng, shape: rng.exponential(size=shape) * 2),
        ("heavy", lambda rng, shape: np.abs(rng.standard_t(6, size=shape))),
    ],
)
def test_clean_samples_pass_one_at_about_the_configured_rate(name, draw):
    deviations = draw(np.random.default_rng(7), (400, 3_000))
    _, scores = taught(deviations)
    observed = (scores[:, 1_000:] > 1).mean()
    assert RATE / 2 <= observed <= RATE * 2, name


def test_a_calm_series_is_never_held_to_less_than_the_normal_distribution():
    calibration, _ = taught(np.zeros((1, 5_000)))
    assert calibration.thresholds()[0] == pytest.approx(3.29, abs=0.01)


def test_a_wild_series_gets_a_higher_threshold_than_a_calm_one():
    rng = np.random.default_rng(3)
    rows = np.vstack([np.abs(rng.normal(size=3_000)), np.abs(rng.standard_t(2, size=3_000))])
    calibration, _ = taught(rows)
    calm, wild = calibration.thresholds()
    assert wild > 2 * calm


def test_an_incident_teaches_nothing():
    calibration, _ = taught(np.abs(np.random.default_rng(1).normal(size=(1, 500))))
    before = calibration.thresholds()
    calibration.learn(np.array([1e6]), np.array([False]))
    calibration.learn(np.array([np.nan]), np.array([True]))
    assert calibration.thresholds() == before


def test_one_huge_clean_sample_does_not_hide_the_next():
    calibration, _ = taught(np.abs(np.random.default_rng(1).normal(size=(1, 500))))
    calibration.learn(np.array([1e9]), np.array([True]))
    assert calibration.score(np.array([30.0]))[0] > 1


def test_a_higher_sensitivity_asks_for_a_smaller_deviation():
    thresholds = []
    for sensitivity in Sensitivity:
        calibration = Calibration(ALARM_RATE[sensitivity])
        calibration.resize(1)
        thresholds.append(calibration.thresholds()[0])
    assert thresholds == sorted(thresholds)


@given(st.lists(st.floats(0, 1e300), min_size=2, max_size=2))
def test_a_score_is_finite_not_negative_and_grows_with_the_deviation(pair):
    calibration = Calibration(RATE)
    calibration.resize(2)
    low, high = calibration.score(np.array(sorted(pair)))
    assert 0 <= low <= high < 1e3


def test_an_unknown_deviation_has_no_score():
    calibration = Calibration(RATE)
    calibration.resize(1)
    assert np.isnan(calibration.score(np.array([np.nan]))[0])
