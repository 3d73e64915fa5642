"""The autoencoder: its weights on disk, what it says of a window, and what training makes of it."""

import io
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.autoencoder.network import reconstruct
from anomaly.autoencoder.weights import Weights, initial_weights, shapes
from anomaly.detectors import Moment, Terms
from anomaly.detectors.lstm_autoencoder import LstmAutoencoder
from anomaly.models import UnreadableModelError

WEIGHTS = initial_weights(4, seed=1)


def arrays_in(weights: Weights) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(weights.to_bytes()), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive}


def bytes_of(arrays: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def waves(windows: int, *, seed: int = 3) -> np.ndarray:
    """Return windows of a wave that comes again every eight samples, begun anywhere."""
    random = np.random.default_rng(seed)
    at = random.integers(0, 8, windows)[:, None] + np.arange(16)
    noise = 0.05 * random.normal(size=at.shape)
    return (np.sin(2 * np.pi * at / 8) + noise).astype(np.float32)


def test_series_of_several_levels_are_judged_each_by_its_own_without_torch():
    """Scoring is NumPy alone: given weights, what stands out of its series scores, no other."""
    terms = Terms(60.0, 86_400.0, minimum_samples=50, smallest_spread=0.0)
    detector = LstmAutoencoder(terms)
    detector.resize(3)
    detector._weights = WEIGHTS
    levels = np.array([[1.0], [100.0], [10_000.0]])
    noise = np.random.default_rng(5).normal(size=(3, 400))
    window = (levels * (1 + 0.01 * noise)).astype(np.float32)
    detector._learn_errors(np.arange(3), window)
    newest = np.array([levels[0, 0], levels[1, 0], 1.5 * levels[2, 0]])
    scores = detector.score(Moment(0.0, newest, window))
    assert np.isfinite(scores).all()
    assert scores[:2].max() < 3
    assert scores[2] > 5


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 24), st.integers(0, 2**32 - 1))
def test_weights_come_back_as_they_were_kept(units, seed):
    weights = initial_weights(units, seed)
    back = Weights.from_bytes(weights.to_bytes())
    for name in shapes(units):
        np.testing.assert_array_equal(getattr(back, name), getattr(weights, name))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not an archive",
        pickle.dumps({"format": 1}),
        bytes_of({**arrays_in(WEIGHTS), "format": np.array(2)}),
        bytes_of({n: a for n, a in arrays_in(WEIGHTS).items() if n != "readout"}),
        bytes_of({**arrays_in(WEIGHTS), "encoder_bias": np.zeros(3)}),
        bytes_of({**arrays_in(WEIGHTS), "readout_bias": np.array([np.nan])}),
        bytes_of({**arrays_in(WEIGHTS), "readout": np.array([object()], dtype=object)}),
        bytes_of({**arrays_in(WEIGHTS), "readout": np.array(1.0)}),
    ],
    ids=[
        "empty",
        "text",
        "pickle",
        "format",
        "missing",
        "shape",
        "not-finite",
        "objects",
        "scalar",
    ],
)
def test_what_are_no_weights_is_refused(data):
    with pytest.raises(UnreadableModelError):
        Weights.from_bytes(data)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(WEIGHTS.to_bytes()) - 1), st.integers(1, 255), st.booleans())
def test_damaged_weights_are_refused_or_are_the_weights_after_all(at, flipped, cut):
    content = bytearray(WEIGHTS.to_bytes())
    content[at] ^= flipped
    try:
        found = Weights.from_bytes(bytes(content[:at] if cut else content))
    except UnreadableModelError:
        return
    for name in shapes(4):
        np.testing.assert_array_equal(getattr(found, name), getattr(WEIGHTS, name))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40))
def test_what_is_said_of_a_window_does_not_depend_on_the_others(few, more):
    few, more = sorted((few, more))
    windows = waves(more)
    np.testing.assert_array_equal(
        reconstruct(WEIGHTS, windows)[:few], reconstruct(WEIGHTS, windows[:few])
    )


@pytest.mark.deep
def test_torch_and_numpy_reconstruct_alike():
    import torch

    from anomaly.autoencoder.training import Network

    by_torch = Network(WEIGHTS)(torch.from_numpy(waves(20))).detach().numpy()
    np.testing.assert_allclose(reconstruct(WEIGHTS, waves(20)), by_torch, atol=1e-6)


def trained(*pieces: int) -> Weights:
    from anomaly.autoencoder.training import Training

    training = Training(initial_weights(16, seed=2), waves(300), steps=sum(pieces), seed=5)
    over = [training.advance(steps) for steps in pieces]
    assert over == [False] * (len(pieces) - 1) + [True]
    return training.weights()


@pytest.mark.deep
def test_a_trained_one_writes_back_what_it_knows_and_not_what_it_does_not():
    weights, known = trained(150), waves(50, seed=9)
    turned = np.cumsum(known, axis=1)  # as smooth, and another shape
    error, other_error = (np.abs(reconstruct(weights, one) - one).mean() for one in (known, turned))
    assert 3 * error < other_error


@pytest.mark.deep
def test_training_in_pieces_ends_where_training_at_once_does():
    np.testing.assert_array_equal(trained(40).readout, trained(7, 20, 13).readout)
