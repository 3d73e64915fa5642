"""What stands still longer than it ever does: traffic that fell to nothing, a value that froze.

A single zero lies within the usual swing of anything that swings much. Zero again and again does
not, whatever the swing, where values hardly ever come twice in a row.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anomaly.detectors import Floats, Moment, Past, Slots, Terms
from anomaly.detectors.refits import SeriesRefits
from anomaly.detectors.robust_zscore import RobustZScore
from anomaly.slots import resized


class Standstill:
    """Deviation = that of the level, or that of standing still where it is larger.

    Were it chance whether a sample equals the one before it, a run that is so much longer than the
    longest known would have a likelihood; standing still deviates as a normal value of that
    likelihood does (its density falls as exp(-d^2 / 2)).
    """

    def __init__(self, terms: Terms) -> None:
        window_samples = max(1, int(terms.history_seconds / terms.step_seconds))
        self._minimum_samples = terms.minimum_samples
        self._level = RobustZScore(terms)
        self._refits = SeriesRefits(terms.minimum_samples, window_samples)
        self._last: npt.NDArray[np.float32] = np.empty(0, dtype=np.float32)
        self._run = np.empty(0)
        self._longest = np.empty(0)
        self._surprise = np.empty(0)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._level.resize(slots)
        self._refits.resize(slots)
        self._last = resized(self._last, slots, np.nan)
        self._run = resized(self._run, slots, 0.0)
        self._longest = resized(self._longest, slots, np.nan)
        self._surprise = resized(self._surprise, slots, np.nan)

    def forget(self, slots: Slots) -> None:
        """Drop what was learned of the given slots."""
        self._level.forget(slots)
        self._refits.forget(slots)
        self._run[slots] = 0.0
        for rows in (self._last, self._longest, self._surprise):
            rows[slots] = np.nan

    def score(self, moment: Moment) -> Floats:
        """Return the larger of both deviations; a missing sample neither ends a run nor adds."""
        values = moment.values.astype(np.float32)  # as the window that was learned from is kept
        seen = np.isfinite(values)
        self._run = np.where(seen, np.where(values == self._last, self._run + 1, 1.0), self._run)
        self._last = np.where(seen, values, self._last)
        longer = np.maximum(self._run - self._longest, 0.0)
        still = np.where(seen, np.sqrt(2 * longer * self._surprise), np.nan)
        return np.fmax(self._level.score(moment), still)

    def learn(self, past: Past) -> None:
        """Learn the level, and when it is time how long each series usually stands still."""
        self._level.learn(past)
        due = self._refits.due(np.isfinite(past.newest))
        if len(due):
            window = past.window()
            for slot in due.tolist():
                known = window[slot][np.isfinite(window[slot])]
                if len(known) >= self._minimum_samples:
                    self._longest[slot], self._surprise[slot] = standing_still(known)


def standing_still(values: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Return the longest run of equal values, and how surprising each further one is.

    Args:
        values: at least one, without gaps.

    Returns:
        samples (>= 1), and the negative logarithm of the share of samples that equal the one before
        (> 0), as if one more had and one more had not: nothing is impossible only for being unseen.
    """
    moved = np.flatnonzero(np.diff(values) != 0) + 1
    edges = np.concatenate([[0], moved, [len(values)]])
    stayed = len(values) - 1 - len(moved)
    return float(np.diff(edges).max()), float(-np.log((stayed + 1) / (len(values) + 1)))
