"""An exponentially weighted level and spread: the control chart everyone knows.

Reference: S. W. Roberts, "Control Chart Tests Based on Geometric Moving Averages", Technometrics
1959. What one sample can move is bounded, so that an outlier does not drag the chart along.
"""

from __future__ import annotations

import numpy as np

from anomaly.detectors import Floats, Moment, Past, Slots, Terms
from anomaly.detectors.robust_zscore import SMALLEST_SPREAD_RATIO, centre_and_spread
from anomaly.slots import resized

LEVEL_SECONDS = 1_800.0
SPREAD_SECONDS = 6 * 3_600.0
"""The level follows within half an hour, the spread within six."""

INFLUENCE_SPREADS = 3.0
"""A sample moves the chart like one that is this many spreads away at most."""

DEVIATION_PER_MEAN_DISTANCE = 1.2533
"""Standard deviation of a normal distribution in units of its mean distance from the centre."""


class Ewma:
    """Deviation = distance from the level in standard deviations."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._follow = 1 - np.exp(-terms.step_seconds / LEVEL_SECONDS)
        self._follow_spread = 1 - np.exp(-terms.step_seconds / SPREAD_SECONDS)
        self._level = np.empty(0)
        self._spread = np.empty(0)
        self._samples = np.empty(0)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._level = resized(self._level, slots, np.nan)
        self._spread = resized(self._spread, slots, np.nan)
        self._samples = resized(self._samples, slots, 0.0)

    def forget(self, slots: Slots) -> None:
        """Drop what was learned of the given slots."""
        self._level[slots] = np.nan
        self._spread[slots] = np.nan
        self._samples[slots] = 0.0

    def score(self, moment: Moment) -> Floats:
        """Return the distance from the level in standard deviations."""
        deviation: Floats = np.abs(moment.values - self._level) / self._known_spread()
        return deviation

    def _known_spread(self) -> Floats:
        floor = np.maximum(self._terms.smallest_spread, SMALLEST_SPREAD_RATIO * np.abs(self._level))
        return np.maximum(np.maximum(self._spread, floor), np.finfo(np.float32).tiny)

    def learn(self, past: Past) -> None:
        """Let one settled sample of each series move its level and spread."""
        seen = np.isfinite(past.newest)
        self._samples += seen
        known = np.isfinite(self._level)
        new = np.flatnonzero(seen & ~known & (self._samples >= self._terms.minimum_samples))
        if len(new):
            self._begin(past, new)
        taught = seen & known
        if taught.any():
            spread = self._known_spread()[taught]
            reach = INFLUENCE_SPREADS * spread
            pull = np.clip(past.newest[taught] - self._level[taught], -reach, reach)
            self._level[taught] += self._follow * pull
            distance = DEVIATION_PER_MEAN_DISTANCE * np.abs(pull)
            self._spread[taught] += self._follow_spread * (distance - self._spread[taught])

    def _begin(self, past: Past, new: Slots) -> None:
        window = past.window(new).astype(np.float64)
        enough = np.isfinite(window).sum(axis=1) >= self._terms.minimum_samples
        if enough.any():
            self._level[new[enough]], self._spread[new[enough]] = centre_and_spread(
                window[enough], self._terms.smallest_spread
            )
