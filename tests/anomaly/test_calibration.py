"""A score above 1 means the same for every detector."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.calibration import LARGEST_ALARM_RATE, LOWEST, Calibration, alarm_rate_of
from anomaly.energy import level_of
from anomaly.settings import Sensitivity

RATE = 1e-3


def taught(deviations: np.ndarray, rate: float = RATE) -> tuple[Calibration, np.ndarray]:
    """Return a calibration that saw series x samples, and each score it gave beforehand."""
    calibration = Calibration(rate)
    calibration.resize(len(deviations))
    scores = []
    for column in deviations.T:
        evidence = level_of(column)
        scores.append(calibration.score(evidence))
        calibration.learn(evidence, np.ones(len(deviations), dtype=np.bool_))
    return calibration, np.array(scores).T


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("normal", lambda rng, shape: np.abs(rng.normal(size=shape))),
        ("exponential", lambda rng, shape: rng.exponential(size=shape) * 2),
        ("heavy", lambda rng, shape: np.abs(rng.standard_t(6, size=shape))),
    ],
)
def test_clean_samples_pass_one_at_most_at_about_the_configured_rate(name, draw):
    deviations = draw(np.random.default_rng(7), (400, 3_000))
    _, scores = taught(deviations)
    observed = (scores[:, 1_000:] > 1).mean()
    assert observed <= RATE * 2, name


def test_a_tail_as_heavy_as_believed_passes_one_at_the_configured_rate():
    """Evidence beyond the threshold of the tail falls by e with each TAIL_PRIOR_EXCESS."""
    rng = np.random.default_rng(7)
    deviations = np.exp(rng.exponential(0.35, size=(400, 3_000)))
    _, scores = taught(deviations)
    assert RATE / 2 <= (scores[:, 1_000:] > 1).mean() <= RATE * 2


def test_a_calm_series_is_never_held_to_less_than_two_standard_deviations():
    calibration, _ = taught(np.zeros((1, 5_000)))
    assert 2 <= calibration.thresholds()[0] < 3


def test_a_wild_series_gets_a_higher_threshold_than_a_calm_one():
    rng = np.random.default_rng(3)
    rows = np.vstack([np.abs(rng.normal(size=3_000)), np.abs(rng.standard_t(2, size=3_000))])
    calibration, _ = taught(rows)
    calm, wild = calibration.thresholds()
    assert wild > 2 * calm


def test_an_incident_teaches_nothing():
    calibration, _ = taught(np.abs(np.random.default_rng(1).normal(size=(1, 500))))
    before = calibration.thresholds()
    calibration.learn(np.array([np.nan]), np.array([True]))
    for _ in range(100):
        calibration.learn(np.array([9.0]), np.array([False]))
    assert calibration.thresholds() == pytest.approx(before, rel=0.05)


def test_a_long_stretch_in_the_tail_teaches_less_than_as_many_samples_apart():
    calm = np.abs(np.random.default_rng(1).normal(size=(1, 1_000)))
    stretch = np.concatenate([calm, np.full((1, 100), 4.0), calm], axis=1)
    apart = np.concatenate([calm, calm], axis=1)
    apart = np.insert(apart, np.arange(1_000, 2_000, 10), 4.0, axis=1)
    assert sorted(apart[0]) == sorted(stretch[0])
    of_stretch, of_apart = (taught(one)[0].thresholds()[0] for one in (stretch, apart))
    assert of_stretch < 0.8 * of_apart


def test_one_huge_clean_sample_does_not_hide_the_next():
    calibration, _ = taught(np.abs(np.random.default_rng(1).normal(size=(1, 500))))
    for _ in range(10):
        calibration.learn(level_of(np.array([1e9])), np.array([True]))
    assert calibration.score(level_of(np.array([1e4])))[0] > 1


def test_a_forgotten_series_is_judged_as_one_never_seen():
    calibration, _ = taught(np.abs(np.random.default_rng(1).normal(size=(2, 500))))
    calibration.forget(np.array([0]))
    fresh, _ = taught(np.empty((1, 0)))
    assert calibration.thresholds()[0] == fresh.thresholds()[0] != calibration.thresholds()[1]


def test_a_higher_sensitivity_asks_for_a_smaller_deviation():
    thresholds = []
    for sensitivity in Sensitivity:
        calibration = Calibration(alarm_rate_of(sensitivity, 60.0))
        calibration.resize(1)
        thresholds.append(calibration.thresholds()[0])
    assert thresholds == sorted(thresholds)


def test_medium_is_one_false_alarm_in_a_week_of_minutes():
    assert alarm_rate_of(Sensitivity.MEDIUM, 60.0) * 7 * 24 * 60 == pytest.approx(1.0)


def test_samples_of_an_hour_may_not_all_alarm_that_are_rare_in_a_week():
    assert alarm_rate_of(Sensitivity.VERY_HIGH, 3_600.0) == LARGEST_ALARM_RATE


@given(st.lists(st.floats(LOWEST, 1e3), min_size=2, max_size=2))
def test_a_score_is_finite_not_negative_and_grows_with_the_evidence(pair):
    calibration = Calibration(RATE)
    calibration.resize(2)
    low, high = calibration.score(np.array(sorted(pair)))
    assert 0 <= low <= high < 1e4


def test_unknown_evidence_has_no_score():
    calibration = Calibration(RATE)
    calibration.resize(1)
    assert np.isnan(calibration.score(np.array([np.nan]))[0])
