"""How series go on, how far that can be believed, and when a limit is reached.

Every forecaster is tried on what the series did after earlier points of their own history; each
series is forecast by the one that was nearest there, within bounds that would have held then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anomaly.forecast import FORECASTERS, Matrix, Paths, open_forecaster
from anomaly.forecast.settings import Side

ORIGINS = 16
"""Earlier points to forecast from: enough to tell a share of a tenth, and bounded work."""

COVERAGE_RATIO = 0.8
"""Of what came lay within the bounds: one future in ten is above them, one below."""

SMALLEST_HISTORY_SAMPLES = 24

FURTHEST_RATIO = 0.5
"""Nobody's forecast reaches further than this share of what is known of it."""

LEAST_GAIN_RATIO = 0.05
"""A less simple forecaster is taken where its error is smaller by this share."""

QUANTILES = (0.1, 0.5, 0.9)
"""Of the futures have reached the limit by the time given for each."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outlook:
    """How series go on; NaN where nothing can be said.

    Attributes:
        median, lower, upper: series x samples ahead.
        forecaster: of each series, its place in the names tried.
        error: series x names tried, mean absolute error of the trial in the series' unit.
        names: those tried.
    """

    median: Matrix
    lower: Matrix
    upper: Matrix
    forecaster: npt.NDArray[np.intp]
    error: Matrix
    names: tuple[str, ...]


def look_ahead(
    samples: Matrix,
    horizon_samples: int,
    *,
    period_samples: int,
    names: Sequence[str] = tuple(FORECASTERS),
    between: Callable[[], None] = lambda: None,
) -> Outlook:
    """Forecast every series.

    Args:
        samples: series x samples up to now, NaN where there is none.
        period_samples: after how many samples series repeat themselves; 1 for never.
        names: the forecasters to try, the simplest first.
        between: called before each forecaster; what it raises ends the work.
    """
    known = known_samples(samples)
    if known.max(initial=0) < SMALLEST_HISTORY_SAMPLES:
        return _nothing(len(samples), horizon_samples, tuple(names))
    history = filled(samples)
    total = history.shape[1]
    reach = np.minimum(horizon_samples, (FURTHEST_RATIO * known).astype(np.intp))
    origins = origins_for(total, int(reach.max(initial=1)), int(known.max(initial=0)))
    told = known >= SMALLEST_HISTORY_SAMPLES
    paths, errors = [], []
    for name in names:
        between()
        forecaster = open_forecaster(name, period_samples)
        paths.append(forecaster.forecast(history, [*origins, total], horizon_samples))
        errors.append(errors_of(paths[-1][:-1], samples, origins, known))
    with np.errstate(invalid="ignore"):
        error = np.column_stack([_mean(np.abs(one), axis=(0, 2)) for one in errors])
    chosen = simplest_good(error)
    rows = np.arange(len(history))
    width = bounds_of(np.stack(errors)[chosen, :, rows])
    median = np.stack(paths)[chosen, -1, rows]
    ahead = np.arange(horizon_samples)
    median = np.where(told[:, None] & (ahead < reach[:, None]), median, np.nan)
    return Outlook(median, median - width, median + width, chosen, error, tuple(names))


def _nothing(series: int, horizon_samples: int, names: tuple[str, ...]) -> Outlook:
    """Return that nothing can be said yet."""
    path = np.full((series, horizon_samples), np.nan)
    error = np.full((series, len(names)), np.nan)
    return Outlook(path, path, path, np.zeros(series, dtype=np.intp), error, names)


def filled(samples: Matrix) -> Matrix:
    """Return the samples with each gap bridged by a line, and what lies outside as it is there."""
    history = np.zeros(samples.shape)
    at = np.arange(samples.shape[1])
    for row, values in enumerate(samples):
        there = np.isfinite(values)
        if there.any():
            history[row] = np.interp(at, at[there], values[there])
    return history


def known_samples(samples: Matrix) -> npt.NDArray[np.intp]:
    """Return how many samples ago each series began; 0 for one that never did."""
    there = np.isfinite(samples)
    if not there.any():
        return np.zeros(len(samples), dtype=np.intp)
    return np.where(there.any(axis=1), samples.shape[1] - there.argmax(axis=1), 0)


def origins_for(total: int, horizon_samples: int, longest_known: int) -> list[int]:
    """Return earlier points to forecast from, ascending: those with some past and some future."""
    first = total - longest_known + max(SMALLEST_HISTORY_SAMPLES // 2, longest_known // 3)
    last = total - max(1, horizon_samples // 2)
    first = min(max(2, first), total)
    origins: list[int] = np.unique(
        np.linspace(first, max(first, last), ORIGINS).astype(np.intp)
    ).tolist()
    return origins


def errors_of(
    paths: Paths, samples: Matrix, origins: Sequence[int], known: npt.NDArray[np.intp]
) -> Paths:
    """Return what came less what was forecast, NaN where nothing came or the series was too new."""
    total = samples.shape[1]
    errors = np.full(paths.shape, np.nan)
    began = total - known
    for at, origin in enumerate(origins):
        count = min(paths.shape[2], total - origin)
        errors[at, :, :count] = samples[:, origin : origin + count] - paths[at, :, :count]
        errors[at, origin - began < SMALLEST_HISTORY_SAMPLES // 2] = np.nan
    return errors


def simplest_good(error: Matrix) -> npt.NDArray[np.intp]:
    """Return for each series the first forecaster none that is less simple clearly beats."""
    best = np.zeros(len(error), dtype=np.intp)
    rows = np.arange(len(error))
    for name in range(1, error.shape[1]):
        better = error[:, name] < (1 - LEAST_GAIN_RATIO) * error[rows, best]
        best[better] = name
    return best


def bounds_of(errors: Paths) -> Matrix:
    """Return how far from the forecast the bounds lie, never narrower further ahead.

    Of the errors made as far ahead the share asked for is smaller (split conformal prediction,
    V. Vovk, A. Gammerman and G. Shafer, "Algorithmic Learning in a Random World", 2005), where few
    are known the largest.

    Args:
        errors: series x origins x samples ahead.
    """
    ordered = np.sort(np.abs(errors), axis=1)  # NaN last
    count = np.isfinite(ordered).sum(axis=1)
    rank = np.ceil(COVERAGE_RATIO * (count + 1)).astype(np.intp) - 1
    place = np.clip(np.minimum(rank, count - 1), 0, None)
    width = np.take_along_axis(ordered, place[:, None, :], axis=1)[:, 0]
    widest: Matrix = np.fmax.accumulate(np.where(count > 0, width, np.nan), axis=1)
    return widest


def samples_to_limit(path: Matrix, limit: float, side: Side) -> Matrix:
    """Return after how many samples each path first reaches the limit, infinity for never."""
    with np.errstate(invalid="ignore"):
        reached = path >= limit if side is Side.RISES else path <= limit
    first: Matrix = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1.0, np.inf)
    return first


def reached_by(outlook: Outlook, limit: float, side: Side) -> Mapping[float, Matrix]:
    """Return for each quantile after how many samples that share of the futures is at the limit."""
    bounds = (outlook.upper, outlook.lower)
    first, last = bounds if side is Side.RISES else reversed(bounds)
    paths = zip(QUANTILES, (first, outlook.median, last), strict=True)
    return {quantile: samples_to_limit(path, limit, side) for quantile, path in paths}


def _mean(values: Paths, *, axis: tuple[int, int]) -> Matrix:
    """Return the mean of what is finite, NaN where nothing is."""
    there = np.isfinite(values)
    total = np.where(there, values, 0.0).sum(axis=axis)
    count = there.sum(axis=axis)
    mean: Matrix = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean
