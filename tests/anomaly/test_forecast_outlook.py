"""How far a forecast can be believed, and when a limit is reached."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.forecast.capacity import capacities_of, in_words, sentence
from anomaly.forecast.job import capacities
from anomaly.forecast.outlook import (
    bounds_of,
    look_ahead,
    samples_to_limit,
    simplest_good,
)
from anomaly.forecast.settings import ForecastSettings, Side
from anomaly.panel import Block

PERIOD = 24
HOUR = 3_600.0
DISK = (("mountpoint", "/"),)


def a_forecast(**changes) -> ForecastSettings:
    return ForecastSettings(
        **{
            "expression": "used",
            "limit": 1.0,
            "step": HOUR,
            "history": 10 * 86_400.0,
            "horizon": 3 * 86_400.0,
            **changes,
        }
    )


def filling(samples: int, *, a_day: float, noise: float = 0.002, seed: int = 3) -> np.ndarray:
    """Return the share in use of a disk that starts half full, with a rise and fall each day."""
    at = np.arange(samples)
    random = np.random.default_rng(seed)
    daily = 0.02 * np.sin(2 * np.pi * at / PERIOD)
    return 0.5 + a_day * at / PERIOD + daily + noise * random.normal(size=samples)


def block(*rows: np.ndarray) -> Block:
    values = np.array(rows)
    keys = tuple((("mountpoint", f"/{row}"),) for row in range(len(rows)))
    return Block(keys, [HOUR * at for at in range(values.shape[1])], values)


def test_a_disk_that_fills_is_warned_of_hours_before_and_within_what_was_promised():
    whole = filling(400, a_day=0.05)
    full_at = int(np.argmax(whole >= 1.0))
    known = block(whole[: full_at - 20])
    (found,) = capacities(known, a_forecast())
    assert found.warns
    first, middle, last = (found.seconds_to_limit[one] / HOUR for one in (0.1, 0.5, 0.9))
    assert first <= middle <= last
    assert first <= 21 <= last
    assert found.errors[found.forecaster] < found.errors["seasonal-naive"]


def test_a_disk_that_fills_in_a_week_is_not_warned_of_today():
    (found,) = capacities(block(filling(240, a_day=0.02)), a_forecast())
    assert not found.warns
    assert found.seconds_to_limit[0.5] == np.inf


def test_a_level_that_is_reached_each_noon_anyway_is_no_growth():
    """A limit that noise or the time of day touches in some futures only warns of nothing."""
    (found,) = capacities(block(filling(240, a_day=0.0)), a_forecast(limit=0.53))
    assert not found.warns


def test_what_falls_to_its_limit_is_warned_of_too():
    left = 1.0 - filling(220, a_day=0.05)
    (found,) = capacities(block(left), a_forecast(limit=0.0, comes="falls"))
    assert found.warns


def test_what_is_at_its_limit_already_is_there_now():
    full = np.minimum(filling(300, a_day=0.06), 1.0)
    (found,) = capacities(block(full), a_forecast())
    assert set(found.seconds_to_limit.values()) == {0.0}
    assert found.warns
    assert sentence(found, a_forecast()) == "is at its limit of 1"


def test_nothing_is_said_of_a_series_that_is_gone_or_too_new():
    gone, new = filling(240, a_day=0.1), filling(240, a_day=0.1)
    gone[-2:] = np.nan
    new[:-10] = np.nan
    there = filling(240, a_day=0.01)
    found = capacities(block(gone, new, there), a_forecast())
    assert [one.key for one in found] == [(("mountpoint", "/2"),)]


def test_a_short_past_is_not_carried_far_ahead():
    values = filling(240, a_day=0.05)[None, :].copy()
    values[:, :200] = np.nan
    outlook = look_ahead(values, 72, period_samples=PERIOD)
    assert np.isfinite(outlook.median[0, :20]).all()
    assert np.isnan(outlook.median[0, 20:]).all()


def test_no_series_at_all_is_no_mistake():
    assert capacities(Block((), [0.0, HOUR], np.empty((0, 2))), a_forecast()) == ()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 239), max_size=60), st.integers(0, 2**16))
def test_gaps_anywhere_leave_a_forecast_that_can_be_read(gaps, seed):
    values = filling(240, a_day=0.03, seed=seed)
    values[[at for at in gaps if at < 238]] = np.nan
    (found,) = capacities(block(values), a_forecast())
    times = [found.seconds_to_limit[one] for one in (0.1, 0.5, 0.9)]
    assert times == sorted(times)
    assert all(seconds >= 0 for seconds in times)


@settings(max_examples=60)
@given(
    st.integers(0, 60),
    st.integers(0, 60),
    st.sampled_from((1, 12, 300)),
    st.sampled_from((1, 7, 1440)),
)
def test_however_little_is_known_is_no_mistake(total, known, ahead, period):
    samples = np.full((2, total), np.nan)
    samples[1, total - min(known, total) :] = np.arange(min(known, total))
    outlook = look_ahead(samples, ahead, period_samples=period)
    assert outlook.median.shape == (2, ahead)
    assert np.isnan(outlook.median[0]).all()


def test_bounds_hold_what_they_promise_of_noise():
    random = np.random.default_rng(1)
    inside = []
    for _ in range(40):
        values = 10 + random.normal(size=(5, 300))
        outlook = look_ahead(values[:, :252], 48, period_samples=1)
        came = values[:, 252:]
        inside.append((outlook.lower <= came) & (came <= outlook.upper))
    assert 0.75 <= np.mean(inside) <= 0.97


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 20), st.integers(1, 30), st.integers(0, 2**16))
def test_bounds_never_grow_narrower_further_ahead(origins, ahead, seed):
    errors = np.random.default_rng(seed).normal(size=(3, origins, ahead))
    width = bounds_of(errors)
    assert (np.diff(width, axis=1) >= 0).all()
    assert (width <= np.abs(errors).max(axis=(1, 2))[:, None]).all()


def test_the_simplest_forecaster_is_taken_unless_another_is_clearly_better():
    error = np.array([[1.0, 0.97, 0.96], [1.0, 0.5, 0.49], [1.0, 0.9, 0.5], [1.0, np.nan, np.nan]])
    assert simplest_good(error).tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("path", "side", "after"),
    [
        ([0.1, 0.9, 1.0, 0.2], Side.RISES, 3),
        ([0.1, 0.2, np.nan, np.nan], Side.RISES, np.inf),
        ([5.0, -0.1], Side.FALLS, 2),
        ([np.nan, np.nan], Side.FALLS, np.inf),
    ],
)
def test_the_limit_is_reached_at_the_first_sample_on_the_other_side(path, side, after):
    limit = 1.0 if side is Side.RISES else 0.0
    assert samples_to_limit(np.array([path]), limit, side).tolist() == [after]


@pytest.mark.parametrize(
    ("seconds", "words"), [(1_800, "30 min"), (7_200, "2 h"), (259_200, "3 days")]
)
def test_durations_are_put_as_people_say_them(seconds, words):
    assert in_words(seconds) == words


def test_the_sentence_says_when_and_how_sure():
    outlook = look_ahead(filling(220, a_day=0.05)[None, :], 72, period_samples=PERIOD)
    (found,) = capacities_of([DISK], np.array([0.95]), outlook, a_forecast())
    said = sentence(found, a_forecast())
    assert said.startswith("reaches 1 in ")
    assert "eight in ten futures" in said
