"""As it was a period ago: what every other forecast has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anomaly.forecast import Matrix, Paths


class SeasonalNaive:
    """The last period again and again; the last value while there is no whole period.

    Args:
        period_samples: length of the period; 1 repeats the last value.
    """

    def __init__(self, period_samples: int) -> None:
        self._period_samples = period_samples

    def forecast(self, history: Matrix, origins: Sequence[int], horizon_samples: int) -> Paths:
        """Return the last period before each origin, repeated."""
        return np.stack(
            [
                history[:, repeated(origin, self._period_samples, horizon_samples)]
                for origin in origins
            ]
        )


def repeated(origin: int, period_samples: int, horizon_samples: int) -> np.ndarray:
    """Return for each sample ahead the place of the same time in the last period before it."""
    period = period_samples if origin >= period_samples else 1
    return origin - period + np.arange(horizon_samples) % period
