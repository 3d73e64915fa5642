"""Every detector keeps the same contract, whatever it computes inside."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.detectors import (
    DETECTORS,
    ENVELOPES,
    EXTRAS,
    Moment,
    Past,
    Terms,
    open_detector,
    open_envelope,
)
from tests.anomaly.series import window_of

MINIMUM_SAMPLES = 20

every_detector = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.deep if name in EXTRAS else ())
        for name in sorted(DETECTORS)
    ],
)
every_envelope = pytest.mark.parametrize("name", sorted(ENVELOPES))


def terms(smallest_spread: float = 0.0) -> Terms:
    return Terms(
        step_seconds=10.0,
        history_seconds=2_000.0,
        minimum_samples=MINIMUM_SAMPLES,
        smallest_spread=smallest_spread,
    )


class Session:
    """A detector with what it saw (``raw``) and what of that it may learn (``clean``)."""

    def __init__(self, name: str, series: int, smallest_spread: float = 0.0) -> None:
        self.detector = open_detector(name, terms(smallest_spread))
        self.detector.resize(series)
        self.raw = np.empty((series, 0), dtype=np.float32)
        self.clean = np.empty((series, 0), dtype=np.float32)

    @property
    def now(self) -> float:
        return self.raw.shape[1] * 10.0

    def score(self, *values: float) -> np.ndarray:
        moment = Moment(self.now, np.array(values, dtype=np.float64), self.raw)
        return self.detector.score(moment)

    def take(self, *values: float, incident: bool = False) -> np.ndarray:
        """Score one sample of each series, then settle it."""
        scores = self.score(*values)
        raw = np.array(values)
        clean = np.full(len(values), np.nan) if incident else raw
        self.raw = np.hstack([self.raw, raw[:, None].astype(np.float32)])[:, -200:]
        self.clean = np.hstack([self.clean, clean[:, None].astype(np.float32)])[:, -200:]
        self.detector.learn(Past(self.now, clean, window_of(self.clean)))
        return scores

    def take_all(self, rows: np.ndarray, *, incident: bool = False) -> "Session":
        for column in rows.T:
            self.take(*column, incident=incident)
        return self


def trained(name: str, rows: np.ndarray, smallest_spread: float = 0.0) -> Session:
    return Session(name, len(rows), smallest_spread).take_all(rows)


def noise(series: int = 2, samples: int = 60, seed: int = 4) -> np.ndarray:
    return 10 + np.random.default_rng(seed).normal(size=(series, samples))


@every_detector
def test_it_says_nothing_before_it_has_learned_enough(name):
    session = trained(name, noise(samples=MINIMUM_SAMPLES - 1))
    assert np.isnan(session.score(10.0, 10.0)).all()


@every_detector
def test_it_scores_a_far_sample_higher_than_a_usual_one(name):
    session = trained(name, noise())
    usual, far = session.score(10.2, 30.0)
    assert far > usual + 2


@every_detector
def test_a_missing_sample_has_no_score_and_the_others_keep_theirs(name):
    session = trained(name, noise())
    scores = session.score(np.nan, 30.0)
    assert np.isnan(scores[0])
    assert scores[1] == trained(name, noise()).score(10.0, 30.0)[1]


@every_detector
def test_two_that_saw_the_same_say_the_same(name):
    first, second = trained(name, noise()), trained(name, noise())
    np.testing.assert_array_equal(first.score(11.0, 14.0), second.score(11.0, 14.0))


@every_detector
def test_a_series_that_comes_later_leaves_the_others_alone(name):
    before = trained(name, noise()).score(11.0, 14.0)
    session = trained(name, noise())
    session.detector.resize(3)
    session.raw = np.vstack([session.raw, np.full((1, session.raw.shape[1]), np.nan)])
    after = session.score(11.0, 14.0, 12.0)
    np.testing.assert_array_equal(after[:2], before)
    assert np.isnan(after[2])


@every_detector
def test_a_forgotten_series_warms_up_again(name):
    session = trained(name, noise())
    session.detector.forget(np.array([0]))
    scores = session.score(10.0, 10.0)
    assert np.isnan(scores[0])
    assert np.isfinite(scores[1])


def first_score(name: str, rows: np.ndarray, value: float, smallest_spread: float = 0.0) -> float:
    """Return what a detector that saw these rows says of one value of the first series."""
    return trained(name, rows, smallest_spread).score(value, 10.0)[0]


@every_detector
def test_a_constant_series_scores_zero_at_its_value_and_finite_elsewhere(name):
    rows = noise()
    rows[0] = 5.0
    at_value, changed, changed_more = (first_score(name, rows, to) for to in (5.0, 5.5, 50.0))
    assert at_value < 1
    assert at_value < changed <= changed_more < np.inf


@every_detector
def test_a_series_of_zeros_is_judged_by_the_smallest_spread_people_named(name):
    rows = np.vstack([np.zeros(60), noise(1)])
    small, large = (first_score(name, rows, to, smallest_spread=0.1) for to in (0.01, 3.0))
    assert small < 1 < large < np.inf


@every_detector
def test_gaps_and_incidents_left_out_do_not_stop_it(name):
    rows = noise()
    rows[:, 10:20] = np.nan
    rows[0, 40:45] = np.nan
    session = trained(name, rows)
    assert np.isfinite(session.score(10.0, 10.0)).all()


@every_detector
def test_a_long_incident_does_not_make_it_forget_what_was_normal(name):
    session = trained(name, noise())
    session.take_all(noise(samples=250, seed=8) + 40, incident=True)
    session.take_all(noise(samples=40, seed=9))
    (usual, _), (_, far) = session.take(10.2, 10.2), session.take(10.2, 60.0)
    assert far > usual + 2


@every_detector
@settings(max_examples=6, deadline=None)
@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-1e3, 1e3))
def test_units_and_offsets_change_no_score(name, scale, shift):
    """Where neither the level floor nor float32 storage is what decides."""
    rows = np.random.default_rng(4).normal(size=(2, 60))
    if abs(shift) > 20 * scale:  # the 1 % floor of a far-away level would take over
        shift = 20 * scale * np.sign(shift)
    plain = trained(name, rows).score(0.5, 6.0)
    moved = trained(name, rows * scale + shift).score(0.5 * scale + shift, 6.0 * scale + shift)
    np.testing.assert_allclose(moved, plain, rtol=0.02, atol=0.05)


@every_detector
@settings(max_examples=6, deadline=None)
@given(
    st.lists(st.just(np.nan) | st.floats(-(2.0**100), 2.0**100), min_size=25, max_size=60),
    st.floats(-1e30, 1e30),
)
def test_whatever_it_saw_a_score_is_never_negative_nor_infinite(name, past, value):
    session = trained(name, np.array([past]))
    score = session.score(value)[0]
    assert np.isnan(score) or 0 <= score < np.inf


@every_envelope
def test_an_envelope_expects_what_is_usual_with_a_spread_above_zero(name):
    envelope = open_envelope(name, terms())
    envelope.resize(2)
    rows = noise(samples=200)
    for at in range(rows.shape[1]):
        seen = rows[:, : at + 1].astype(np.float32)
        envelope.learn(Past(10.0 * at, rows[:, at], window_of(seen)))
    expected = envelope.expect(2_000.0)
    np.testing.assert_allclose(expected.centre, 10.0, atol=0.4)
    np.testing.assert_allclose(expected.spread, 1.0, atol=0.3)


def test_a_name_that_is_not_in_the_table_is_refused():
    with pytest.raises(KeyError):
        open_detector("oracle", terms())
    with pytest.raises(KeyError):
        open_envelope("isolation-forest", terms())


@pytest.mark.deep
def test_the_autoencoder_finds_a_shape_that_no_single_value_gives_away():
    """A wave that stands still at a height it passes all the time."""
    wave = np.sin(2 * np.pi * np.arange(180) / 12)
    session = trained("lstm-autoencoder", np.vstack([wave, np.roll(wave, 5)]))
    usual = max(session.take(value, value)[0] for value in np.sin(2 * np.pi * np.arange(12) / 12))
    still = max(session.take(0.5, 0.0)[0] for _ in range(8))
    assert still > 2 * usual
