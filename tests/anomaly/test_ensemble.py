"""The ensemble judges with detectors of its own, and with those that are there already."""

import numpy as np

from anomaly.detectors import Detector, Moment, Past, Terms, open_detector
from tests.anomaly.series import window_of

SERIES = 3
STEP_SECONDS = 300.0
SAMPLES = 400
ENVELOPE = "seasonal-envelope"


def terms(**shared: Detector) -> Terms:
    return Terms(
        step_seconds=STEP_SECONDS,
        history_seconds=86_400.0,
        minimum_samples=50,
        smallest_spread=0.0,
        shared={name.replace("_", "-"): one for name, one in shared.items()},
    )


def scores_of(ensemble: Detector, *owned: Detector) -> np.ndarray:
    """Return series x samples: what the ensemble says while it and the others learn."""
    samples = np.random.default_rng(5).normal(size=(SERIES, SAMPLES)).astype(np.float32)
    samples[1, 300:320] += 8.0
    found = []
    for one in (*owned, ensemble):
        one.resize(SERIES)
    for at in range(SAMPLES):
        values = samples[:, at].astype(np.float64)
        found.append(ensemble.score(Moment(at * STEP_SECONDS, values, samples[:, :at])))
        past = Past(at * STEP_SECONDS, values, window_of(samples[:, : at + 1]))
        for one in (*owned, ensemble):
            one.learn(past)
    return np.array(found).T


def test_a_shared_member_judges_as_its_own_would():
    envelope = open_detector(ENVELOPE, terms())
    sharing = open_detector("ensemble", terms(seasonal_envelope=envelope))
    alone = scores_of(open_detector("ensemble", terms()))
    assert np.isfinite(alone[:, -1]).all()
    np.testing.assert_array_equal(scores_of(sharing, envelope), alone)


def test_a_shared_member_is_taught_by_its_owner_alone():
    envelope = open_detector(ENVELOPE, terms())
    sharing = open_detector("ensemble", terms(seasonal_envelope=envelope))
    envelope.resize(SERIES)
    before = envelope.expect(0.0).centre
    scores_of(sharing)
    np.testing.assert_array_equal(envelope.expect(0.0).centre, before)
