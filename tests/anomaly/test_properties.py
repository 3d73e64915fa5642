"""What must hold whatever the samples are."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.backtest.recording import Recording
from anomaly.detectors import ENVELOPES
from anomaly.evaluation import QueryEvaluation
from anomaly.panel import Block
from anomaly.settings import QuerySettings
from tests.anomaly.series import block, evaluated, key, noise, scores_of

DETECTORS = ("robust-zscore", "seasonal-envelope", "standstill", "ensemble")
each_detector = pytest.mark.parametrize("detector", DETECTORS)

QUARTER = 900.0
DAY_QUARTERS = 96
MIDNIGHT = 1_750_032_000.0


def judged(values: np.ndarray, detector: str, **policy) -> np.ndarray:
    envelope = detector if detector in ENVELOPES else "seasonal-envelope"
    return scores_of(evaluated(values, detector=detector, envelope=envelope, **policy))


@each_detector
@settings(max_examples=3, deadline=None)
@given(exponent=st.integers(-20, 20))
def test_the_unit_a_series_is_measured_in_changes_no_score(detector, exponent):
    values = noise(150)
    values[100:105] += 8
    scaled = judged(values * 2.0**exponent, detector)
    np.testing.assert_allclose(scaled, judged(values, detector), rtol=1e-4, atol=1e-4)


@each_detector
@settings(max_examples=3, deadline=None)
@given(shift=st.integers(-40, 40))
def test_where_zero_lies_changes_no_score(detector, shift):
    values = noise(150)
    values[100:105] += 8
    shifted = judged(values + shift, detector)
    np.testing.assert_allclose(shifted, judged(values, detector), rtol=1e-3, atol=1e-3)


@each_detector
@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.floats(allow_nan=True, allow_infinity=True, width=32),
            st.sampled_from([0.0, 1.0, 1e30, -1e30]),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_a_score_is_never_negative_and_never_infinite(detector, tail):
    with np.errstate(all="ignore"):
        scores = judged(np.concatenate([noise(40), tail]), detector)
    assert np.isfinite(scores[~np.isnan(scores)]).all()
    assert (scores[~np.isnan(scores)] >= 0).all()


@each_detector
@pytest.mark.parametrize("level", [0.0, 1.0, -1e9])
def test_a_constant_series_is_never_anomalous_and_its_first_change_is(detector, level):
    values = np.full(200, level)
    assert np.nanmax(judged(values, detector)) <= 1
    values[150:] = level + max(1.0, abs(level))
    (episode,) = evaluated(values, detector=detector, envelope="seasonal-envelope").episodes()
    assert episode.is_open


@each_detector
def test_a_single_sample_is_a_state_and_no_score(detector):
    evaluation = evaluated(noise(1), detector=detector, envelope="seasonal-envelope")
    (view,) = evaluation.views(0.0)
    assert (view.state, view.score, view.actual is not None) == ("warming", None, True)


def days(count: int, *, seed: int = 1) -> np.ndarray:
    """Return days of quarters of an hour of noise around 10."""
    return noise(count * DAY_QUARTERS, seed=seed)


def of_days(values: np.ndarray, start: float = MIDNIGHT, **policy):
    """Return an evaluation at a step of a quarter of an hour that starts at a midnight of UTC."""
    settings_of_days = QuerySettings(
        **{
            "expression": "x",
            "step": QUARTER,
            "cadence": QUARTER,
            "history": 10 * 86_400.0,
            "minimum_history": 3 * 3_600.0,
            "detector": "seasonal-envelope",
            "envelope": "seasonal-envelope",
            **policy,
        }
    )
    evaluation = QueryEvaluation("q", settings_of_days)
    recording = Recording()
    times = [start + at * QUARTER for at in range(len(values))]
    evaluation.advance(
        Block((key("/cron"),), times, values[None, :]),
        told=lambda verdict: recording.keep(verdict, evaluation),
    )
    (track,) = recording.tracks().values()
    return evaluation, track


@each_detector
def test_a_level_that_shifts_for_a_day_fires_the_whole_day(detector):
    values = days(4)
    values[3 * DAY_QUARTERS :] += 15
    evaluation, _ = of_days(values, detector=detector)
    firing = [one for one in evaluation.episodes() if one.is_open]
    (began,) = (one.started_seconds - MIDNIGHT - 3 * 86_400.0 for one in firing)
    assert 0 <= began <= 2 * QUARTER


def at_six(zone: str, start: float, samples: int) -> np.ndarray:
    """Return whether each sample lies in the half hour after 06:00 on that zone's clocks."""
    moments = [
        datetime.fromtimestamp(start + at * QUARTER, ZoneInfo(zone)) for at in range(samples)
    ]
    return np.array([moment.hour == 6 and moment.minute < 30 for moment in moments])


def told(evaluation: QueryEvaluation) -> list[float]:
    """Return when the episodes began that people are told of."""
    return [one.started_seconds for one in evaluation.episodes() if not one.habitual]


TWO_OF_TWO = {"persistence": {"anomalous": 2, "of": 2, "normal": 2}}


def test_a_job_at_six_is_quiet_by_day_three():
    values = days(6)
    values[at_six("UTC", MIDNIGHT, len(values))] += 12
    evaluation, _ = of_days(values, **TWO_OF_TWO)
    six = MIDNIGHT + 6 * 3_600.0
    assert told(evaluation) == [six, six + 86_400.0]


def test_a_job_at_six_that_takes_much_longer_or_goes_much_further_is_news():
    values = days(6)
    at = at_six("UTC", MIDNIGHT, len(values))
    values[at] += 12
    values[3 * DAY_QUARTERS + 24 : 3 * DAY_QUARTERS + 34] += 12
    values[4 * DAY_QUARTERS :][at[4 * DAY_QUARTERS :]] += 30
    evaluation, _ = of_days(values, **TWO_OF_TWO)
    assert told(evaluation)[2:] == [MIDNIGHT + day * 86_400.0 + 21_600.0 for day in (3, 4)]


def test_a_job_at_six_on_local_clocks_stays_quiet_when_the_clocks_change():
    start = datetime(2026, 3, 23, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    values = days(9)
    values[at_six("Europe/Berlin", start, len(values))] += 12
    local, _ = of_days(values, start, timezone="Europe/Berlin", **TWO_OF_TWO)
    utc, _ = of_days(values, start, **TWO_OF_TWO)
    assert len(told(local)) == 2
    assert len(told(utc)) == 4


def test_the_first_deploy_of_a_new_service_alerts_nobody():
    evaluation = evaluated(noise(200))
    values = np.concatenate([np.linspace(0, 80, 15), noise(60, level=80, seed=2)])
    evaluation.advance(block({"/search": noise(75, seed=3), "/new": values}, first=200))
    assert evaluation.episodes() == []


SPIKE = noise(200)
SPIKE[150:170] = 18.0
NO_MISTAKE = {"persistence": {"anomalous": 3, "of": 5, "normal": 5}}


@pytest.mark.parametrize(
    "policy",
    [
        {"direction": "below"},
        {"minimum_deviation": {"absolute": 10.0}},
        {"minimum_deviation": {"relative": 1.0}},
        {"valid_range": {"maximum": 14.0}},
        {"persistence": {"anomalous": 32, "of": 32}},
        {"calendar": [{"name": "always", "starts": "2000-01-01", "ends": "2099-01-01"}]},
    ],
    ids=lambda policy: next(iter(policy)),
)
def test_each_policy_alone_suppresses_what_would_alert_without_it(policy):
    assert len(evaluated(SPIKE, **NO_MISTAKE).episodes()) == 1
    assert evaluated(SPIKE, **{**NO_MISTAKE, **policy}).episodes() == []


def test_a_lower_sensitivity_suppresses_what_a_higher_one_tells():
    def fires(sensitivity: str, level: float) -> bool:
        values = noise(200)
        values[150:170] = level
        return bool(evaluated(values, sensitivity=sensitivity).episodes())

    levels = np.array([13.0, 14.0, 15.0, 16.0, 19.0])
    most, least = ([fires(one, level) for level in levels] for one in ("very-high", "low"))
    assert all(high or not low for high, low in zip(most, least, strict=True))
    assert sum(most) > sum(least) > 0


def test_keep_firing_bridges_what_would_otherwise_be_two_episodes():
    values = noise(200)
    values[100:110] += 30
    values[125:135] += 30
    assert len(evaluated(values).episodes()) == 2
    assert len(evaluated(values, persistence={"keep_firing": "5m"}).episodes()) == 1
