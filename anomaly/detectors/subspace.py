"""Short windows of a series against the subspace such windows usually fill.

The Mahalanobis distance of a window after a principal component analysis of all windows, that is,
every component counts by how much it usually varies: a small movement in a direction that never
moves is as strange as a large one in a direction that always does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anomaly.detectors import Floats, Moment, Past, Slots, Terms
from anomaly.detectors.refits import SeriesRefits
from anomaly.detectors.ridge_autoregression import normalisation_of
from anomaly.slots import resized

WINDOW_SAMPLES = 4
SHRINKAGE_RATIO = 0.01
"""Share of the mean variance added to every component's, so that none counts without limit."""

SMALLEST_DEVIATION = 1e-3
"""In the series' spread: movement below this is rounding, whatever the component."""

FIT_ROWS = 8_000
SERIES_AT_ONCE = 256

Matrix = npt.NDArray[np.float64]


class Subspace:
    """Deviation = root mean square of a window's whitened components; 1 is usual."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        history_samples = max(1, int(terms.history_seconds / terms.step_seconds))
        self._minimum_samples = max(terms.minimum_samples, 5 * WINDOW_SAMPLES)
        self._refits = SeriesRefits(self._minimum_samples, history_samples)
        # In the series' own unit: the usual window, and what makes a distance from it white.
        self._usual = np.empty((0, WINDOW_SAMPLES))
        self._whitening = np.empty((0, WINDOW_SAMPLES, WINDOW_SAMPLES))

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._refits.resize(slots)
        self._usual = resized(self._usual, slots, np.nan)
        self._whitening = resized(self._whitening, slots, np.nan)

    def forget(self, slots: Slots) -> None:
        """Drop the models of the given slots."""
        self._refits.forget(slots)
        self._usual[slots] = np.nan
        self._whitening[slots] = np.nan

    def spread(self, slot: int, share: float) -> None:
        """Take note of a number in [0, 1) that is the own of the series in a slot."""
        self._refits.spread(slot, share)

    def score(self, moment: Moment) -> Floats:
        """Return the whitened length of the window that ends now."""
        components = np.einsum("sw,swc->sc", window_of(moment) - self._usual, self._whitening)
        deviation: Floats = np.sqrt(np.einsum("sc,sc->s", components, components) / WINDOW_SAMPLES)
        return deviation

    def learn(self, past: Past) -> None:
        """Fit again the series whose time it is."""
        due = self._refits.due(np.isfinite(past.newest))
        if not len(due):
            return
        for slots in np.array_split(due, max(1, len(due) // SERIES_AT_ONCE)):
            window = past.window(slots)
            enough = np.isfinite(window).sum(axis=1) >= self._minimum_samples
            if enough.any():
                self._fit(slots[enough], window[enough].astype(np.float64))

    def _fit(self, slots: Slots, window: Matrix) -> None:
        centre, spread = normalisation_of(window, self._terms.smallest_spread)
        normal = (window - centre[:, None]) / spread[:, None]
        pieces = np.lib.stride_tricks.sliding_window_view(normal, WINDOW_SAMPLES, axis=1)
        if pieces.shape[1] > FIT_ROWS:
            rows = np.linspace(0, pieces.shape[1] - 1, FIT_ROWS).astype(np.intp)
            pieces = pieces[:, rows]
        floor = np.maximum(SMALLEST_DEVIATION, self._terms.smallest_spread / spread)
        mean, whitening = whitening_of(pieces, floor**2)
        self._usual[slots] = centre[:, None] + mean * spread[:, None]
        self._whitening[slots] = whitening / spread[:, None, None]


def window_of(moment: Moment) -> Matrix:
    """Return series x window, the newest last; a gap takes the sample after it.

    A row is NaN where there is no sample now.
    """
    before = moment.recent[:, -(WINDOW_SAMPLES - 1) :]
    window = np.full((len(moment.values), WINDOW_SAMPLES), np.nan)
    window[:, WINDOW_SAMPLES - 1 - before.shape[1] : -1] = before
    window[:, -1] = moment.values
    known = np.isfinite(window)
    if np.count_nonzero(known) == known.size:
        return window
    for at in range(WINDOW_SAMPLES - 2, -1, -1):
        window[:, at] = np.where(known[:, at], window[:, at], window[:, at + 1])
    window[~known[:, -1]] = np.nan
    return window


def whitening_of(pieces: Matrix, smallest_variance: Floats) -> tuple[Matrix, Matrix]:
    """Return mean and whitening matrix of each series' windows.

    Args:
        pieces: series x windows x samples; windows with a gap are left out.
        smallest_variance: of each series, added to every component's.
    """
    usable = np.asarray(np.isfinite(pieces).all(axis=2))
    count = np.maximum(usable.sum(axis=1), 1)
    complete = np.where(usable[:, :, None], pieces, 0.0)
    mean = complete.sum(axis=1) / count[:, None]
    centred = np.where(usable[:, :, None], pieces - mean[:, None, :], 0.0)
    covariance = np.einsum("stw,stv->swv", centred, centred, optimize=True)
    covariance /= count[:, None, None]
    variances, directions = np.linalg.eigh(covariance)
    variances = np.maximum(variances, 0.0)
    shrinkage = SHRINKAGE_RATIO * variances.mean(axis=1) + smallest_variance
    whitening: Matrix = directions / np.sqrt(variances + shrinkage[:, None])[:, None, :]
    return mean, whitening
