"""One member of a group against the others: what happens to all of them is not its anomaly.

The median of the group is taken from every sample, and what is left of each series is judged
against what was usually left of it. Load that comes and goes for all members leaves nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anomaly.detectors import Floats, Moment, Past, Slots, Terms
from anomaly.detectors.robust_zscore import RobustZScore, row_medians

SMALLEST_GROUP = 3
"""Of two that differ none can say which is the odd one."""


class PeerGroup:
    """Deviation = distance from the peers, in robust standard deviations of the usual distance.

    While fewer than three members have a sample, each is judged by its own history alone.
    """

    def __init__(self, terms: Terms) -> None:
        self._alone = RobustZScore(terms)
        self._apart = RobustZScore(terms)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._alone.resize(slots)
        self._apart.resize(slots)

    def forget(self, slots: Slots) -> None:
        """Drop what was learned of the given slots."""
        self._alone.forget(slots)
        self._apart.forget(slots)

    def score(self, moment: Moment) -> Floats:
        """Return how far each series is from its peers, compared with its usual distance."""
        apart = moment.values - group_medians(moment.values[:, None])[0]
        of_group = self._apart.score(Moment(moment.at_seconds, apart, moment.recent))
        return np.where(np.isfinite(of_group), of_group, self._alone.score(moment))

    def learn(self, past: Past) -> None:
        """Take one more settled sample of each series into account."""
        self._alone.learn(past)
        newest = past.newest - group_medians(past.newest[:, None])[0]

        def apart(slots: Slots | slice = slice(None)) -> npt.NDArray[np.float32]:
            return _left_of(past.window())[slots]

        self._apart.learn(Past(past.at_seconds, newest, apart))


def group_medians(samples: Floats) -> Floats:
    """Return the median of each column; NaN where fewer than three members have a sample."""
    columns = np.ascontiguousarray(samples.T)
    enough = np.isfinite(columns).sum(axis=1) >= SMALLEST_GROUP
    medians = np.full(len(columns), np.nan)
    if enough.any():
        medians[enough] = row_medians(columns[enough])
    return medians


def _left_of(window: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    left: npt.NDArray[np.float32] = window - group_medians(window.astype(np.float64)).astype(
        np.float32
    )
    return left
