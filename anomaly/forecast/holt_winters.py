"""Exponential smoothing of level, trend and time of the period, for all series at once.

Reference: P. Winters, "Forecasting Sales by Exponentially Weighted Moving Averages", Management
Science 1960; the trend is damped (E. Gardner and E. McKenzie, "Forecasting Trends in Time Series",
Management Science 1985), because few things grow for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anomaly.forecast import Matrix, Paths

DAMPING = 0.999
"""Share of the trend that is left after a sample: half of it after some 700."""

LEVEL_RATES = (0.05, 0.2, 0.6)
TREND_RATES = (0.0, 0.01, 0.05)
SEASON_RATES = (0.1, 0.3)
"""Every combination is carried along; the one whose one-step errors were smallest until then is
taken, for each series."""

LARGEST_SURPRISE = 4.0
"""In mean errors of one step: what lies further off counts as lying there (Huber's influence)."""

ERROR_RATE = 0.02


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast level, trend and season follow."""

    level: float
    trend: float
    season: float


def rates_for(*, seasonal: bool) -> tuple[Rates, ...]:
    """Return the combinations to try."""
    seasons = SEASON_RATES if seasonal else (0.0,)
    return tuple(
        Rates(level, trend, season)
        for level in LEVEL_RATES
        for trend in TREND_RATES
        for season in seasons
    )


class HoltWinters:
    """Additive and damped, with the smoothing that did best on each series.

    Args:
        period_samples: length of the period; 1 when nothing repeats itself.
    """

    def __init__(self, period_samples: int) -> None:
        self._period_samples = period_samples

    def forecast(self, history: Matrix, origins: Sequence[int], horizon_samples: int) -> Paths:
        """Return how the best smoothing goes on after each origin."""
        # An origin before two periods are known is one of a series without a season.
        early = [one for one in origins if one < 2 * self._period_samples]
        late = [one for one in origins if one >= 2 * self._period_samples]
        parts = []
        if early:
            parts.append(_forecast(history, early, horizon_samples, 1))
        if late:
            parts.append(_forecast(history, late, horizon_samples, self._period_samples))
        return np.concatenate(parts)


def _forecast(history: Matrix, origins: Sequence[int], horizon_samples: int, period: int) -> Paths:
    smoothing = _Smoothing(history[:, : 2 * period], period)
    found = []
    for at in range(origins[-1]):
        smoothing.take(history[:, at], at)
        if at + 1 in origins:
            found.append(smoothing.ahead(at + 1, horizon_samples))
    return np.stack(found)


class _Smoothing:
    """Every combination of rates over every series: combinations x series.

    Args:
        beginning: series x two periods, from which the first level, trend and season come.
        period: in samples.
    """

    def __init__(self, beginning: Matrix, period: int) -> None:
        self._rates = rates_for(seasonal=period > 1)
        self._period = period
        shape = (len(self._rates), len(beginning))
        first, second = beginning[:, :period], beginning[:, period : 2 * period]
        season = (first - first.mean(axis=1, keepdims=True)) if period > 1 else 0.0 * first
        trend = (second.mean(axis=1) - first.mean(axis=1)) / period if period > 1 else 0.0
        self._level = np.broadcast_to(first[:, 0] - season[:, 0] - trend, shape).copy()
        self._trend = np.broadcast_to(trend, shape).copy()
        self._season = np.broadcast_to(season, (len(self._rates), *season.shape)).copy()
        self._error = np.zeros(shape)
        self._total_error = np.zeros(shape)
        columns = np.array([[one.level, one.trend, one.season] for one in self._rates])
        self._level_rate, self._trend_rate, self._season_rate = columns.T[:, :, None]

    def take(self, values: Matrix, at: int) -> None:
        """Take one sample of each series into account."""
        place = at % self._period
        season = self._season[:, :, place]
        carried = self._level + DAMPING * self._trend
        surprise = values - carried - season
        self._total_error += np.abs(surprise)
        limit = np.where(self._error > 0, LARGEST_SURPRISE * self._error, np.inf)
        self._error += max(ERROR_RATE, 1 / (at + 1)) * (
            np.minimum(np.abs(surprise), limit) - self._error
        )
        bounded = np.clip(surprise, -limit, limit)
        self._level = carried + self._level_rate * bounded
        self._trend = DAMPING * self._trend + self._level_rate * self._trend_rate * bounded
        self._season[:, :, place] = season + self._season_rate * (1 - self._level_rate) * bounded

    def ahead(self, origin: int, samples: int) -> Matrix:
        """Return how each series goes on, by the rates that did best on it so far."""
        best = self._total_error.argmin(axis=0)
        series = np.arange(len(best))
        steps = np.cumsum(DAMPING ** np.arange(1, samples + 1))
        places = (origin + np.arange(samples)) % self._period
        trend = self._trend[best, series][:, None] * steps
        ahead: Matrix = (
            self._level[best, series][:, None] + trend + self._season[best, series][:, places]
        )
        return ahead
