"""What people said matters: which values are believable, which side, and how far is far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anomaly.corrections import Tolerance
from anomaly.detectors import Expectation, Floats
from anomaly.settings import Direction, MinimumDeviation, ValidRange


@dataclass(frozen=True, slots=True)
class Band:
    """The edges beyond which a sample would score above 1."""

    lower: Floats
    upper: Floats


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of one query; every method is a pure function of its arguments."""

    direction: Direction
    minimum_deviation: MinimumDeviation
    valid_range: ValidRange

    def admissible(self, values: Floats) -> Floats:
        """Return ``values`` with NaN in place of all that is infinite or out of range."""
        admitted = np.where(np.isfinite(values), values, np.nan)
        if self.valid_range.minimum is not None:
            admitted = np.where(admitted < self.valid_range.minimum, np.nan, admitted)
        if self.valid_range.maximum is not None:
            admitted = np.where(admitted > self.valid_range.maximum, np.nan, admitted)
        return admitted

    def smallest_deviation(self, centre: Floats) -> Floats:
        """Return how far from ``centre`` a sample must be to matter, in its own unit."""
        relative: Floats = self.minimum_deviation.relative * np.abs(centre)
        return np.maximum(relative, self.minimum_deviation.absolute)

    def apply(
        self, score: Floats, values: Floats, centre: Floats, tolerance: Tolerance | None = None
    ) -> Floats:
        """Return ``score``, held to at most 1 where the deviation is one that does not matter."""
        distance = values - centre
        matters = np.abs(distance) >= self.smallest_deviation(centre)
        if tolerance is not None:
            beyond = np.where(distance > 0, distance > tolerance.above, -distance > tolerance.below)
            matters &= beyond
        if self.direction is Direction.ABOVE:
            matters &= distance > 0
        elif self.direction is Direction.BELOW:
            matters &= distance < 0
        return np.where(matters | np.isnan(score), score, np.minimum(score, 1.0))

    def band(self, expected: Expectation, threshold: Floats) -> Band:
        """Return the band around ``expected``, within what is valid.

        Args:
            threshold: the deviation at which each slot's score is 1.
        """
        reach = np.maximum(threshold * expected.spread, self.smallest_deviation(expected.centre))
        lowest, highest = self.valid_range.minimum, self.valid_range.maximum
        return Band(
            np.clip(expected.centre - reach, lowest, highest),
            np.clip(expected.centre + reach, lowest, highest),
        )
