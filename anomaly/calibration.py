"""From a detector's deviation to a score: above 1 is anomalous, equally often for every detector.

Each series keeps the tail of its own clean deviations beyond ``TAIL_START`` as an exponential
distribution (share of samples in the tail, mean excess), the simplest member of the peaks-over-
threshold family (J. Pickands, Annals of Statistics 1975; A. Siffer et al., KDD 2017 use it for
streams). The deviation that clean samples exceed with the wanted probability is where the score
is 1. A sample enters the tail only after it was scored, and never when it belongs to an incident.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from anomaly.detectors import Flags, Floats, Slots
from anomaly.settings import Sensitivity
from anomaly.slots import resized

ALARM_RATE = {
    Sensitivity.VERY_HIGH: 1e-3,
    Sensitivity.HIGH: 3e-4,
    Sensitivity.MEDIUM: 1e-4,
    Sensitivity.LOW: 1e-5,
}
"""Share of clean samples that may score above 1, before policy and persistence."""

TAIL_START = 2.0
"""Deviations beyond two standard deviations form the tail: enough of them to learn from."""

PRIOR_SAMPLES = 30.0
"""Weight of the normal distribution's own tail, until a series has shown its own."""

MEMORY_SAMPLES = 2_000.0
"""The tail forgets with this time constant, about a day and a half at a 60 s step."""

LARGEST_EXCESS = 20.0
"""One sample cannot teach the tail more than this; the incident after it must still be seen."""

_NORMAL = NormalDist()
_NORMAL_SHARE = 2 * (1 - _NORMAL.cdf(TAIL_START))
_NORMAL_EXCESS = 2 * _NORMAL.pdf(TAIL_START) / _NORMAL_SHARE - TAIL_START


class Calibration:
    """The clean tail of every series of a query, and the score it gives a deviation.

    Args:
        alarm_rate: share of clean samples that may score above 1; 0 < rate < 0.05.
    """

    def __init__(self, alarm_rate: float) -> None:
        if not 0 < alarm_rate < _NORMAL_SHARE:
            raise ValueError(
                f"expected an alarm rate in (0, {_NORMAL_SHARE:.3f}), got {alarm_rate}"
            )
        self.alarm_rate = alarm_rate
        self._normal_threshold = -_NORMAL.inv_cdf(alarm_rate / 2)
        self._samples = np.empty(0)
        self._tail_samples = np.empty(0)
        self._tail_excess = np.empty(0)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._samples = resized(self._samples, slots, PRIOR_SAMPLES)
        self._tail_samples = resized(self._tail_samples, slots, PRIOR_SAMPLES * _NORMAL_SHARE)
        self._tail_excess = resized(
            self._tail_excess, slots, PRIOR_SAMPLES * _NORMAL_SHARE * _NORMAL_EXCESS
        )

    def forget(self, slots: Slots) -> None:
        """Return the given slots to the normal distribution's tail."""
        self._samples[slots] = PRIOR_SAMPLES
        self._tail_samples[slots] = PRIOR_SAMPLES * _NORMAL_SHARE
        self._tail_excess[slots] = PRIOR_SAMPLES * _NORMAL_SHARE * _NORMAL_EXCESS

    def thresholds(self) -> Floats:
        """Return the deviation at which each slot's score is 1."""
        share = self._tail_samples / self._samples
        mean_excess = self._tail_excess / self._tail_samples
        odds = np.maximum(share / self.alarm_rate, 1.0)
        return np.maximum(TAIL_START + mean_excess * np.log(odds), self._normal_threshold)

    def score(self, deviation: Floats, novelty: Floats | float = 0.0) -> Floats:
        """Return the score of each deviation: linear up to 1, logarithmic beyond, NaN for NaN.

        Args:
            novelty: added beyond 1; it ranks what is anomalous and makes nothing anomalous.
        """
        ratio = deviation / self.thresholds()
        beyond = np.log(np.maximum(ratio, 1.0)) + novelty
        score: Floats = np.where(ratio > 1, 1.0 + beyond, ratio)
        return score

    def learn(self, deviation: Floats, learnable: Flags) -> None:
        """Let the given deviations enter the tail where ``learnable``; NaN teaches nothing."""
        taught = learnable & np.isfinite(deviation)
        keep = np.where(taught, 1 - 1 / MEMORY_SAMPLES, 1.0)
        in_tail = taught & (deviation > TAIL_START)
        excess = np.minimum(deviation[in_tail] - TAIL_START, LARGEST_EXCESS)
        self._samples = self._samples * keep + taught
        # A floor on the tail's weight keeps the mean excess defined however calm a series is.
        self._tail_samples = np.maximum(self._tail_samples * keep + in_tail, 1e-6)
        self._tail_excess *= keep
        self._tail_excess[in_tail] += excess
