"""Median and median absolute deviation over the window: hard to move, cheap to compute.

Reference: B. Iglewicz and D. Hoaglin, "How to Detect and Handle Outliers", ASQC 1993.
"""

from __future__ import annotations

import numpy as np

from anomaly.detectors import Expectation, Floats, Moment, Past, Slots, Terms
from anomaly.slots import resized

SIGMA_PER_MAD = 1.4826
"""Standard deviation of a normal distribution in units of its MAD."""

SMALLEST_SPREAD_RATIO = 0.01
"""Below 1 % of its own level the movement of a flat series is not a deviation worth a name."""

REFRESHES_PER_WINDOW = 120
"""The statistics of a full window are renewed after each 1/120 of it; sooner while it fills."""


class RobustZScore:
    """Deviation = distance from the median in robust standard deviations."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        window_samples = max(1, int(terms.history_seconds / terms.step_seconds))
        self._refresh_samples = max(1, window_samples // REFRESHES_PER_WINDOW)
        self._since_refresh = 0
        self._learned_samples = 0
        self._centre = np.empty(0)
        self._spread = np.empty(0)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._centre = resized(self._centre, slots, np.nan)
        self._spread = resized(self._spread, slots, np.nan)

    def forget(self, slots: Slots) -> None:
        """Drop what was learned of the given slots."""
        self._centre[slots] = np.nan
        self._spread[slots] = np.nan

    def expect(self, at_seconds: float) -> Expectation:  # noqa: ARG002  # the level is the same at any time
        """Return median and spread of each slot."""
        return Expectation(self._centre.copy(), self._spread.copy())

    def score(self, moment: Moment) -> Floats:
        """Return the distance from the median in robust standard deviations."""
        deviation: Floats = np.abs(moment.values - self._centre) / self._spread
        return deviation

    def learn(self, past: Past) -> None:
        """Renew the statistics when enough new samples have been settled."""
        self._learned_samples += 1
        self._since_refresh += 1
        young = max(1, self._learned_samples // REFRESHES_PER_WINDOW)
        if self._since_refresh < min(young, self._refresh_samples):
            return
        self._since_refresh = 0
        self._refresh(past)

    def _refresh(self, past: Past) -> None:
        window = past.window().astype(np.float64)
        # A series whose window holds nothing but an incident keeps what it knew before it.
        enough = np.isfinite(window).sum(axis=1) >= self._terms.minimum_samples
        if not enough.any():
            return
        centre, spread = centre_and_spread(window[enough], self._terms.smallest_spread)
        self._centre[enough] = centre
        self._spread[enough] = spread


def centre_and_spread(
    window: Floats, smallest_spread: float, *, smallest_ratio: float = SMALLEST_SPREAD_RATIO
) -> tuple[Floats, Floats]:
    """Return median and robust standard deviation of each row, both finite, the latter > 0.

    Args:
        window: series x samples with at least one finite value in a row.
        smallest_spread: lower limit of the spread in the series' unit.
        smallest_ratio: lower limit of the spread in parts of the centre.
    """
    centre = row_medians(window)
    distances = np.abs(window - centre[:, None])
    spread = SIGMA_PER_MAD * row_medians(distances)
    # MAD is 0 as soon as half the samples are equal; the mean distance still sees the others.
    # 1.2533 is the standard deviation of a normal distribution in units of its mean distance.
    flat = spread == 0
    if flat.any():
        spread[flat] = 1.2533 * np.nanmean(distances[flat], axis=1)
    floor = np.maximum(smallest_spread, smallest_ratio * np.abs(centre))
    return centre, np.maximum(np.maximum(spread, floor), np.finfo(np.float32).tiny)


def row_medians(rows: Floats) -> Floats:
    """Return the median of the finite values of each row; each row must have one."""
    ordered = np.sort(rows, axis=1)  # NaN sorts last
    counts = np.isfinite(ordered).sum(axis=1)
    low = np.take_along_axis(ordered, ((counts - 1) // 2)[:, None], axis=1)[:, 0]
    high = np.take_along_axis(ordered, (counts // 2)[:, None], axis=1)[:, 0]
    medians: Floats = low + (high - low) / 2
    return medians
