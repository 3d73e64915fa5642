"""Several detectors as one: each smoothed, then averaged so that no single one decides.

An energy is averaged over the last few samples, because one strange sample in a calm stretch
matters less than several. What was tried and measured is in docs/anomaly-quality.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anomaly.detectors import (
    Detector,
    Floats,
    Moment,
    Past,
    Slots,
    Terms,
    open_detector,
)
from anomaly.detectors.refits import Spread
from anomaly.energy import energy_of, mean_deviation, share_followed, smoothed
from anomaly.seasons import Bins, Profile, Seasonal
from anomaly.slots import resized


@dataclass(frozen=True, slots=True)
class Member:
    """A detector of the ensemble and over how many samples its energy is averaged."""

    detector: str
    smoothing_samples: float


MEMBERS = (
    Member("ridge-autoregression", 8.0),
    Member("subspace", 5.0),
    Member("seasonal-envelope", 6.0),
)
FOLLOW = np.array([[share_followed(member.smoothing_samples)] for member in MEMBERS])


class Ensemble:
    """Deviation = root of the quasi-arithmetic mean of the members' smoothed energies."""

    def __init__(self, terms: Terms) -> None:
        self._own: dict[str, Detector] = {
            member.detector: open_detector(member.detector, terms)
            for member in MEMBERS
            if member.detector not in terms.shared
        }
        every = {**terms.shared, **self._own}
        self._detectors = tuple(every[member.detector] for member in MEMBERS)
        self._smoothed = np.empty((len(MEMBERS), 0))
        self._sharp = np.empty(0)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        for detector in self._own.values():
            detector.resize(slots)
        self._smoothed = resized(self._smoothed.T, slots, np.nan).T

    def forget(self, slots: Slots) -> None:
        """Drop what was learned of the given slots."""
        for detector in self._own.values():
            detector.forget(slots)
        self._smoothed[:, slots] = np.nan

    def spread(self, slot: int, share: float) -> None:
        """Take note of a number in [0, 1) that is the own of the series in a slot."""
        for detector in self._own.values():
            if isinstance(detector, Spread):
                detector.spread(slot, share)

    def profiles(self, slots: Slots) -> tuple[Bins, Bins]:
        """Return what the seasonal member knows of the given slots."""
        return self._seasonal().profiles(slots)

    def recall(self, slot: int, profile: Profile, until_seconds: float) -> None:
        """Let the seasonal member take up the profile that a series had."""
        self._seasonal().recall(slot, profile, until_seconds)

    def _seasonal(self) -> Seasonal:
        return next(one for one in self._detectors if isinstance(one, Seasonal))

    def score(self, moment: Moment) -> Floats:
        """Return the joint deviation of the members that can judge; NaN while none can."""
        deviations = np.empty(self._smoothed.shape)
        for at, detector in enumerate(self._detectors):
            deviations[at] = detector.score(moment)
        sharp = energy_of(deviations)
        judged = self._smoothed = smoothed(self._smoothed, sharp, FOLLOW)
        missing = np.isnan(sharp)
        if np.count_nonzero(missing):
            judged = np.where(missing, np.nan, judged)
        deviation: Floats
        self._sharp, deviation = mean_deviation(np.array((sharp, judged)))
        return deviation

    def sharp(self) -> Floats:
        """Return the joint deviation of the samples scored last, without smoothing."""
        return self._sharp

    def learn(self, past: Past) -> None:
        """Let every member take one more settled sample into account."""
        for detector in self._own.values():
            detector.learn(past)
