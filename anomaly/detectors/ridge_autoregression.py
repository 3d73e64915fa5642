"""What the last samples, and those of the same time yesterday, say the next one should be.

A ridge regression (A. Hoerl and R. Kennard, Technometrics 1970) for every series, solved for all of
them at once; fitted twice, the second time without what the first could not explain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anomaly.detectors import Floats, Moment, Past, Slots, Terms
from anomaly.detectors.refits import SeriesRefits
from anomaly.detectors.robust_zscore import (
    SIGMA_PER_MAD,
    SMALLEST_SPREAD_RATIO,
    centre_and_spread,
    row_medians,
)
from anomaly.slots import resized

DAY_SECONDS = 86_400.0
NEAR_LAGS = 8
PENALTY = 1.0
"""One pseudo-observation of every coefficient being zero."""

OUTLIER_SPREADS = 5.0
SMALLEST_RESIDUAL_SHARE = 0.1
"""The spread of residuals is at least a tenth of their standard deviation: a series that mostly
repeats itself has a MAD of nearly nothing."""

FIT_ROWS = 20_000
CELLS_AT_ONCE = 1_000_000

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fit:
    """Models of some series: normalisation, coefficients (the last is the constant), residuals."""

    centre: Floats
    spread: Floats
    coefficients: Matrix
    residual_spread: Floats


class RidgeAutoregression:
    """Deviation = prediction error in robust standard deviations of the errors before."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        window_samples = max(1, int(terms.history_seconds / terms.step_seconds))
        self._lags = lags_of(terms.step_seconds, window_samples)
        minimum_samples = max(terms.minimum_samples, 3 * NEAR_LAGS)
        self._minimum_samples = minimum_samples
        self._refits = SeriesRefits(minimum_samples, window_samples)
        # The models in the series' own unit: what is expected beside the centre is the constant
        # and the weighted distances of the lags from the centre.
        self._centre = np.empty(0)
        self._constant = np.empty(0)
        self._weights = np.empty((0, len(self._lags)))
        self._error_spread = np.empty(0)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._refits.resize(slots)
        self._centre = resized(self._centre, slots, np.nan)
        self._constant = resized(self._constant, slots, np.nan)
        self._weights = resized(self._weights, slots, np.nan)
        self._error_spread = resized(self._error_spread, slots, np.nan)

    def forget(self, slots: Slots) -> None:
        """Drop the models of the given slots."""
        self._refits.forget(slots)
        for rows in (self._centre, self._constant, self._weights, self._error_spread):
            rows[slots] = np.nan

    def spread(self, slot: int, share: float) -> None:
        """Take note of a number in [0, 1) that is the own of the series in a slot."""
        self._refits.spread(slot, share)

    def score(self, moment: Moment) -> Floats:
        """Return the distance from the prediction in spreads of the error."""
        lagged = lagged_of(moment.recent, self._lags)
        lagged -= self._centre[:, None]
        predicted = np.einsum("sk,sk->s", lagged, self._weights) + self._constant
        deviation: Floats = np.abs(moment.values - self._centre - predicted) / self._error_spread
        return deviation

    def learn(self, past: Past) -> None:
        """Fit again the series whose time it is."""
        due = self._refits.due(np.isfinite(past.newest))
        if not len(due):
            return
        samples = past.window(due[:1]).shape[1]
        series_at_once = max(1, CELLS_AT_ONCE // (samples * len(self._lags)))
        for at in range(0, len(due), series_at_once):
            self._fit(due[at : at + series_at_once], past)

    def _fit(self, due: Slots, past: Past) -> None:
        window = past.window(due)
        enough = np.isfinite(window).sum(axis=1) >= self._minimum_samples
        if enough.any():
            slots = due[enough]
            fit = fit_series(window[enough].astype(np.float64), self._lags, self._terms)
            self._centre[slots] = fit.centre
            self._constant[slots] = fit.coefficients[:, -1] * fit.spread
            self._weights[slots] = fit.coefficients[:, :-1]
            self._error_spread[slots] = fit.residual_spread * fit.spread


def lags_of(step_seconds: float, window_samples: int) -> tuple[int, ...]:
    """Return the lags used: the newest samples, and a day ago where two days are remembered."""
    day = round(DAY_SECONDS / step_seconds)
    near = tuple(range(1, NEAR_LAGS + 1))
    if window_samples < 2 * day or day <= NEAR_LAGS + 1:
        return near
    return (*near, day - 1, day, day + 1)


def lagged_of(recent: npt.NDArray[np.float32], lags: tuple[int, ...]) -> Matrix:
    """Return series x lags of what came before; a gap takes the newest sample there is.

    A row is NaN where none of the near lags has a sample.
    """
    series, samples = recent.shape
    lagged = np.empty((series, len(lags)))
    for at, lag in enumerate(lags):
        lagged[:, at] = recent[:, -lag] if lag <= samples else np.nan
    if not np.count_nonzero(np.isnan(lagged)):
        return lagged
    newest = np.full(series, np.nan)
    for near in range(NEAR_LAGS - 1, -1, -1):
        newest = np.where(np.isfinite(lagged[:, near]), lagged[:, near], newest)
    return np.where(np.isfinite(lagged), lagged, newest[:, None])


def fit_series(window: Matrix, lags: tuple[int, ...], terms: Terms) -> Fit:
    """Fit every row of a window; each must hold enough samples.

    Args:
        window: series x samples, oldest first, gaps NaN.
    """
    centre, spread = normalisation_of(window, terms.smallest_spread)
    normal = (window - centre[:, None]) / spread[:, None]
    features, targets, usable = design_of(normal, lags)
    error = targets - predicted_of(features, solve(features, features, targets))
    residual_spread = spread_of(error, usable)
    explained = usable & (np.abs(error) < OUTLIER_SPREADS * residual_spread[:, None])
    coefficients = solve(features * explained[:, None, :], features, targets)
    error = targets - predicted_of(features, coefficients)
    floor = np.maximum(1e-4, terms.smallest_spread / spread)
    return Fit(centre, spread, coefficients, np.maximum(spread_of(error, explained), floor))


def normalisation_of(
    window: Matrix, smallest_spread: float, *, smallest_ratio: float = SMALLEST_SPREAD_RATIO
) -> tuple[Floats, Floats]:
    """Return centre and spread of each row; the spread sees rare but large movement too.

    Args: as of ``centre_and_spread``.
    """
    centre, spread = centre_and_spread(window, smallest_spread, smallest_ratio=smallest_ratio)
    return centre, np.maximum(spread, SMALLEST_RESIDUAL_SHARE * standard_deviations(window))


def standard_deviations(rows: Matrix) -> Floats:
    """Return the standard deviation of what is known of each row."""
    known = not np.count_nonzero(np.isnan(rows))
    deviations: Floats = rows.std(axis=1) if known else np.nanstd(rows, axis=1)
    return deviations


def design_of(
    normal: Matrix, lags: tuple[int, ...]
) -> tuple[Matrix, Matrix, npt.NDArray[np.bool_]]:
    """Return features (series x lags and one x rows), targets, and which rows are complete.

    What is not complete is zero.
    """
    series, samples = normal.shape
    # Without a whole day before it the daily lags of a row take the newest sample instead.
    first = min(max(lags), samples // 2)
    rows = np.arange(first, samples)
    if len(rows) > FIT_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, FIT_ROWS).astype(np.intp)]
    features = np.ones((series, len(lags) + 1, len(rows)))
    for at, lag in enumerate(lags):
        source = rows - lag
        source = np.where(source >= 0, source, np.maximum(rows - 1, 0))
        known = normal[:, source]
        if lag > NEAR_LAGS:  # a series that began within the window has no day before it either
            known = np.where(np.isfinite(known), known, features[:, 0])
        features[:, at] = known
    targets = normal[:, rows]
    usable = np.isfinite(targets) & np.isfinite(features).all(axis=1)
    if np.count_nonzero(usable) < usable.size:
        np.copyto(features, 0.0, where=~usable[:, None, :])
        targets[~usable] = 0.0
    return features, targets, usable


def solve(weighted: Matrix, features: Matrix, targets: Matrix) -> Matrix:
    """Return the ridge coefficients of every series.

    Args:
        weighted: the features with zero for the rows that do not count.
    """
    gram = weighted @ features.transpose(0, 2, 1)
    gram += PENALTY * np.eye(features.shape[1])
    coefficients = np.linalg.solve(gram, weighted @ targets[:, :, None])[:, :, 0]
    return coefficients.astype(np.float64, copy=False)


def predicted_of(features: Matrix, coefficients: Matrix) -> Matrix:
    """Return what the coefficients make of the features, series x rows."""
    predicted: Matrix = (coefficients[:, None, :] @ features)[:, 0]
    return predicted


def spread_of(error: Matrix, usable: npt.NDArray[np.bool_]) -> Floats:
    """Return a robust standard deviation of the usable errors of each series."""
    errors = np.where(usable, error, np.nan)
    errors[~usable.any(axis=1), 0] = 0.0
    robust = SIGMA_PER_MAD * row_medians(np.abs(errors))
    spread: Floats = np.maximum(robust, SMALLEST_RESIDUAL_SHARE * standard_deviations(errors))
    return spread
