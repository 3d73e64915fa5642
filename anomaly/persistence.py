"""When anomalous samples become an episode, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anomaly.detectors import Flags, Floats, Slots
from anomaly.settings import PersistenceSettings
from anomaly.slots import resized


@dataclass(frozen=True, slots=True)
class Turn:
    """What one sample changed, one flag a slot.

    ``onset_seconds`` is, where an episode began, the Unix time of its first anomalous sample.
    """

    began: Flags
    ended: Flags
    firing: Flags
    onset_seconds: Floats


class Persistence:
    """M of the last N samples begin an episode; a clean stretch ends it.

    A missing sample is evidence of nothing and moves nothing.
    """

    def __init__(self, settings: PersistenceSettings, step_seconds: float) -> None:
        self._settings = settings
        self._step_seconds = step_seconds
        self._mask = np.uint64((1 << settings.of) - 1)
        self._history = np.empty(0, dtype=np.uint64)
        self._normal_run = np.empty(0, dtype=np.int64)
        self._firing = np.empty(0, dtype=np.bool_)
        self._last_anomalous = np.empty(0)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._history = resized(self._history, slots, np.uint64(0))
        self._normal_run = resized(self._normal_run, slots, 0)
        self._firing = resized(self._firing, slots, fill=False)
        self._last_anomalous = resized(self._last_anomalous, slots, np.nan)

    def forget(self, slots: Slots) -> None:
        """Return the given slots to quiet."""
        self._history[slots] = 0
        self._normal_run[slots] = 0
        self._firing[slots] = False
        self._last_anomalous[slots] = np.nan

    def restore(self, slot: int, at_seconds: float) -> None:
        """Continue at that time an episode that was under way before a restart."""
        self._firing[slot] = True
        self._last_anomalous[slot] = at_seconds

    @property
    def firing(self) -> Flags:
        """Return whose episode goes on, by slot."""
        return self._firing

    def advance(self, at_seconds: float, score: Floats) -> Turn:
        """Take one sample of each series into account and return what changed."""
        seen = np.isfinite(score)
        anomalous = seen & (score > 1)
        shifted = ((self._history << np.uint64(1)) | anomalous.astype(np.uint64)) & self._mask
        self._history = np.where(seen, shifted, self._history)
        self._normal_run = np.where(anomalous, 0, self._normal_run + seen)
        self._last_anomalous = np.where(anomalous, at_seconds, self._last_anomalous)
        began = ~self._firing & (np.bitwise_count(self._history) >= self._settings.anomalous)
        quiet = at_seconds - self._last_anomalous >= self._settings.keep_firing
        ended = self._firing & seen & (self._normal_run >= self._settings.normal) & quiet
        onset = np.where(
            began, at_seconds - self._samples_since_first() * self._step_seconds, np.nan
        )
        self._firing = (self._firing | began) & ~ended
        self._history[ended] = 0
        return Turn(began, ended, self._firing.copy(), onset)

    def _samples_since_first(self) -> Floats:
        # The oldest anomalous sample still remembered is the highest bit set; frexp finds it.
        _, exponent = np.frexp(self._history.astype(np.float64))
        samples: Floats = np.maximum(exponent - 1, 0).astype(np.float64)
        return samples
