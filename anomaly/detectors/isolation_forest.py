"""An isolation forest per query, on features without a unit, so that all its series share it.

Reference: F. T. Liu, K. M. Ting and Z.-H. Zhou, "Isolation Forest", ICDM 2008; its 100 trees and
256 samples a tree are kept.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import IsolationForest

from anomaly.detectors import Floats, Moment, Past, Slots, Terms
from anomaly.detectors.flat_forest import FlatForest
from anomaly.detectors.refits import Refits
from anomaly.detectors.robust_zscore import RobustZScore, centre_and_spread

TREES = 100
SAMPLES_PER_TREE = 256
SEED = 20081215  # fixed, so that two runs over the same samples agree
TRAINING_ROWS = 16_384  # 64 times what one tree sees; more changes no score we could measure
HELD_OUT_RATIO = 0.25
RECENT_SAMPLES = 5

Features = npt.NDArray[np.float64]


class IsolationForestDetector:
    """Deviation = how far a sample's isolation score lies from those of held-out normal samples.

    The features are those of a person looking at a chart: how far from the usual level, how big
    the last step, how far the last few samples together, each in the series' own robust spread.
    """

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._level = RobustZScore(terms)
        self._forest: FlatForest | None = None
        self._usual_score = np.nan
        self._usual_spread = np.nan
        window_samples = max(1, int(terms.history_seconds / terms.step_seconds))
        self._refits = Refits(terms.minimum_samples, window_samples, growth_ratio=1.0)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._level.resize(slots)

    def forget(self, slots: Slots) -> None:
        """Drop what was learned of the given slots; the forest belongs to the query and stays."""
        self._level.forget(slots)

    def score(self, moment: Moment) -> Floats:
        """Return the deviation of each sample from usual isolation scores."""
        deviation = np.full(moment.values.shape, np.nan)
        if self._forest is None:
            return deviation
        known = self._level.expect(moment.at_seconds)
        recent = moment.recent[:, -RECENT_SAMPLES:].astype(np.float64)
        features = features_of(moment.values, recent, known.centre, known.spread)
        judged = np.isfinite(features[:, 0])
        if judged.any():
            scores = self._forest.isolation(features[judged])
            distance = (scores - self._usual_score) / self._usual_spread
            deviation[judged] = np.maximum(distance, 0.0)
        return deviation

    def learn(self, past: Past) -> None:
        """Take one more settled sample into account; retrain when the schedule says so."""
        self._level.learn(past)
        if not np.isfinite(past.newest).any():
            return
        if self._refits.due():
            self._train(past)

    def _train(self, past: Past) -> None:
        rows = training_rows(past.window(), self._level, past.at_seconds)
        held_out = int(len(rows) * HELD_OUT_RATIO)
        if held_out < 2 or len(rows) < self._terms.minimum_samples:
            return
        # The oldest rows train and the newest calibrate: no row is judged by a tree that saw it.
        fitted, judged = rows[:-held_out], rows[-held_out:]
        grown = IsolationForest(
            n_estimators=TREES, max_samples=min(SAMPLES_PER_TREE, len(fitted)), random_state=SEED
        ).fit(fitted)
        forest = FlatForest(grown)
        usual = forest.isolation(judged)
        centre, spread = centre_and_spread(usual[None, :], 0.0)
        self._usual_score, self._usual_spread = float(centre[0]), float(spread[0])
        self._forest = forest


def features_of(values: Floats, recent: Features, centre: Floats, spread: Floats) -> Features:
    """Return one row of features a sample: level, step and recent level, in robust spreads.

    Args:
        values: one a series.
        recent: series x samples just before, newest last; gaps are NaN.
        centre, spread: what is known of each series.

    Returns:
        series x 3, log-compressed so that one huge sample does not stretch the trees' cuts; a row
        is NaN where the sample or the knowledge is missing.
    """
    level = (values - centre) / spread
    before = (recent - centre[:, None]) / spread[:, None]
    present = np.isfinite(before)
    count = present.sum(axis=1)
    total = np.where(present, before, 0.0).sum(axis=1)
    recent_level = (total + level) / (count + 1)
    previous = before[:, -1] if before.shape[1] else np.full(level.shape, np.nan)
    step = np.where(np.isfinite(previous), level - previous, 0.0)
    features = np.column_stack([level, step, recent_level])
    compressed: Features = np.sign(features) * np.log1p(np.abs(features))
    compressed[~np.isfinite(level)] = np.nan
    return compressed


def training_rows(
    window: npt.NDArray[np.float32], level: RobustZScore, at_seconds: float
) -> Features:
    """Return features of evenly spread samples of the window, all series, oldest first."""
    known = level.expect(at_seconds)
    series, samples = window.shape
    every = max(1, -(-series * samples // TRAINING_ROWS))
    columns = range(0, samples, every)
    padded = np.full((series, samples + RECENT_SAMPLES), np.nan)
    padded[:, RECENT_SAMPLES:] = window
    rows = [
        features_of(
            padded[:, at + RECENT_SAMPLES],
            padded[:, at : at + RECENT_SAMPLES],
            known.centre,
            known.spread,
        )
        for at in columns
    ]
    found = np.concatenate(rows) if rows else np.empty((0, 3))
    return found[np.isfinite(found[:, 0])]
