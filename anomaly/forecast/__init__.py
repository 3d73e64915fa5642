"""The seam for forecasters: what one is given, what it answers, and where each is found.

All series of a query are forecast at once, from several points of their past (origins) in one pass:
what was forecast then, beside what came, is how well a forecaster does now.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
"""Series x samples, finite."""

Paths = npt.NDArray[np.float64]
"""Origins x series x samples ahead, finite."""


class Forecaster(Protocol):
    """Says how series go on."""

    def forecast(self, history: Matrix, origins: Sequence[int], horizon_samples: int) -> Paths:
        """Return how each series goes on after each origin.

        Args:
            history: oldest first.
            origins: how many samples are known, each from 2 to all; ascending. What is said of one
                depends on no later sample.
            horizon_samples: how far ahead, at least 1.
        """


FORECASTERS = {
    "seasonal-naive": "anomaly.forecast.seasonal_naive:SeasonalNaive",
    "seasonal-drift": "anomaly.forecast.seasonal_drift:SeasonalDrift",
    "holt-winters": "anomaly.forecast.holt_winters:HoltWinters",
}
"""Name to where the class is, the simplest first: that one is what the others have to beat."""


def open_forecaster(name: str, period_samples: int) -> Forecaster:
    """Return a forecaster; raise KeyError for a name that is not in the table.

    Args:
        period_samples: after how many samples series repeat themselves; 1 when they do not.
    """
    module, _, attribute = FORECASTERS[name].partition(":")
    forecaster: Forecaster = getattr(import_module(module), attribute)(period_samples)
    return forecaster
