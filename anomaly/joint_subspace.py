"""Several channels of one entity as one: their short windows against how they move together."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from anomaly.detectors import Floats, Terms
from anomaly.detectors.refits import Refits
from anomaly.detectors.ridge_autoregression import normalisation_of
from anomaly.detectors.subspace import FIT_ROWS, SMALLEST_DEVIATION, WINDOW_SAMPLES

KNEE_SPREADS = 5.0
"""Beyond this a channel's distance counts by its logarithm: one wild channel must not turn every
direction of the subspace to itself."""

SHRINKAGE_RATIO = 0.003
"""Less than for a single series: with many channels the telling directions are those that hardly
ever vary. Chosen on development data, docs/anomaly-quality.md."""

SMALLEST_SPREAD_RATIO = 0.001
"""What is small beside a channel's own level may still be much beside what the others just did."""

ROWS_PER_DIMENSION = 3
"""Fewer windows than that span no subspace: every new one would lie outside it."""

SMALLEST_KNOWN_RATIO = 0.5
"""A window with more gaps than that says little of how channels move together."""

Matrix = npt.NDArray[np.float64]


class JointSubspace:
    """The whitened length of the window of all channels; 1 is usual.

    A channel that is missing now counts as being where it usually is. One that hardly ever had a
    sample has no say, and gaps of the others cost the window they are in a part of its say.
    """

    def __init__(self, terms: Terms) -> None:
        history_samples = max(1, int(terms.history_seconds / terms.step_seconds))
        self._smallest_spread = terms.smallest_spread
        self._minimum_samples = max(terms.minimum_samples, 5 * WINDOW_SAMPLES)
        self._refits = Refits(self._minimum_samples, history_samples)
        self._centre: Matrix = np.empty((0, 1))
        self._spread: Matrix = np.empty((0, 1))
        self._mean = np.empty(0)
        self._whitening: Matrix = np.empty((0, 0))

    def score(self, window: Matrix) -> float:
        """Return the deviation of a window; NaN before the first fit or when nothing is there.

        Args:
            window: channels x ``WINDOW_SAMPLES``, newest last, gaps NaN; the channels of the fit.
        """
        if len(self._centre) != len(window) or not np.isfinite(window[:, -1]).any():
            return float("nan")
        flat = bent(window, self._centre, self._spread).ravel()
        flat -= self._mean
        known = np.isfinite(flat)
        if np.count_nonzero(known) < len(known):
            flat[~known] = 0.0
        components = flat @ self._whitening
        return math.sqrt(components.dot(components) / len(components))

    def learn(self, history: npt.NDArray[np.float32]) -> None:
        """Fit to what may be learned, channels x samples; asked for when ``due`` said so."""
        values = history.astype(np.float64)
        alive = np.isfinite(values).sum(axis=1) >= self._minimum_samples
        if alive.sum() < 2:
            return
        centre, spread = np.full((2, len(values), 1), np.nan)
        centre[alive, 0], spread[alive, 0] = normalisation_of(
            values[alive], self._smallest_spread, smallest_ratio=SMALLEST_SPREAD_RATIO
        )
        normal = bent(values, centre, spread)
        known = np.isfinite(normal[alive]).sum(axis=0)
        of_window = np.convolve(known, np.ones(WINDOW_SAMPLES, dtype=known.dtype), "valid")
        share = of_window / (WINDOW_SAMPLES * np.count_nonzero(alive))
        rows = np.flatnonzero(share >= SMALLEST_KNOWN_RATIO)
        if len(rows) < max(
            self._minimum_samples, ROWS_PER_DIMENSION * WINDOW_SAMPLES * len(values)
        ):
            return
        if len(rows) > FIT_ROWS:
            rows = rows[np.linspace(0, len(rows) - 1, FIT_ROWS).astype(np.intp)]
        flat = np.empty((len(rows), len(values), WINDOW_SAMPLES))
        for at in range(WINDOW_SAMPLES):
            flat[:, :, at] = normal[:, rows + at].T
        self._centre, self._spread = centre, spread
        self._mean, self._whitening = whitening_of(flat.reshape(len(rows), -1))

    def due(self) -> bool:
        """Count one more settled sample of the entity and return whether to learn now."""
        return self._refits.due()


def bent(values: Matrix, centre: Matrix, spread: Matrix) -> Matrix:
    """Return distances in spreads, logarithmic beyond the knee.

    Args:
        values: channels x samples.
        centre, spread: of each channel, channels x 1.
    """
    distance = (values - centre) / spread
    length = np.abs(distance)
    beyond = length > KNEE_SPREADS
    if np.count_nonzero(beyond):
        reach = KNEE_SPREADS * (1 + np.log(length[beyond] / KNEE_SPREADS))
        distance[beyond] = np.copysign(reach, distance[beyond])
    return distance


def whitening_of(rows: Matrix) -> tuple[Floats, Matrix]:
    """Return mean and whitening matrix of windows, one a row; gaps count for nothing.

    Each pair of samples covaries as far as both are known (pairwise deletion).
    """
    known = np.isfinite(rows)
    if known.all():
        mean = rows.sum(axis=0) / len(rows)
        centred = rows - mean
        covariance = centred.T @ centred / len(rows)
    else:
        mean = np.where(known, rows, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        centred = np.where(known, rows - mean, 0.0)
        together = known.astype(np.float64)
        covariance = centred.T @ centred / np.maximum(together.T @ together, 1.0)
    variances, directions = np.linalg.eigh(covariance)
    variances = np.maximum(variances, 0.0)
    shrinkage = SHRINKAGE_RATIO * variances.mean() + SMALLEST_DEVIATION**2
    whitening: Matrix = directions / np.sqrt(variances + shrinkage)
    return mean, whitening
