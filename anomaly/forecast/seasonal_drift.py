"""As it was a period ago, and as much further as it usually grows within one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anomaly.forecast import Matrix, Paths
from anomaly.forecast.seasonal_naive import repeated

GROWTH_PERIODS = 3
"""The growth is the median over so many periods before the origin: what was longer ago has changed
since, and less than half of them may be an exception."""

WITHOUT_PERIOD_RATIO = 0.25
"""Where nothing repeats itself the growth is looked for over a quarter of what is known."""


class SeasonalDrift:
    """The last period again, each time higher by the median growth of the last periods.

    The median of differences does not care for an exception, however large (P. Sen, "Estimates of
    the Regression Coefficient Based on Kendall's Tau", JASA 1968).

    Args:
        period_samples: length of the period; 1 when nothing repeats itself.
    """

    def __init__(self, period_samples: int) -> None:
        self._period_samples = period_samples

    def forecast(self, history: Matrix, origins: Sequence[int], horizon_samples: int) -> Paths:
        """Return the last period before each origin with the growth since."""
        return np.stack([self._after(history[:, :one], horizon_samples) for one in origins])

    def _after(self, known: Matrix, horizon_samples: int) -> Matrix:
        origin = known.shape[1]
        period = self._period_samples
        seasonal = period > 1 and 2 * period <= origin
        period = period if seasonal else 1
        lag = period if seasonal else max(1, int(WITHOUT_PERIOD_RATIO * origin))
        reach = GROWTH_PERIODS * lag
        newer = known[:, max(lag, origin - reach) :]
        older = known[:, max(lag, origin - reach) - lag : origin - lag]
        growth = np.median(newer - older, axis=1) / lag
        places = repeated(origin, period, horizon_samples)
        apart = origin + np.arange(horizon_samples) - places
        ahead: Matrix = known[:, places] + growth[:, None] * apart
        return ahead
