"""A trained isolation forest as flat arrays: the same scores, without a task for every tree.

scikit-learn hands each tree to joblib, some 5 ms for a hundred trees however few rows there are; a
query with ten series is scored every few seconds. Here all rows walk all trees together.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import IsolationForest

ROWS_AT_ONCE = 1_024
"""Keeps the walkers of one piece (rows x trees) in the processor's cache."""

Rows = npt.NDArray[np.float64]


class FlatForest:
    """Scores rows as ``-IsolationForest.score_samples`` does: near 1 is isolated, below 0.5 usual.

    Args:
        forest: fitted, on all features.
    """

    def __init__(self, forest: IsolationForest) -> None:
        trees = [estimator.tree_ for estimator in forest.estimators_]
        counts = [tree.node_count for tree in trees]
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        self._roots = starts.astype(np.intp)
        self._feature = np.concatenate([np.maximum(tree.feature, 0) for tree in trees])
        self._threshold = np.concatenate([tree.threshold for tree in trees])
        self._left = _children([tree.children_left for tree in trees], starts)
        self._right = _children([tree.children_right for tree in trees], starts)
        self._path_length = np.concatenate([_path_lengths(tree) for tree in trees])
        self._levels = max(tree.max_depth for tree in trees)
        self._usual_length = float(_average_path_length(np.array([forest.max_samples_]))[0])

    def isolation(self, rows: Rows) -> Rows:
        """Return the score of each row, in (0, 1]."""
        # The trees were grown on float32 and compare as such.
        features = rows.astype(np.float32)
        pieces = [
            self._mean_path_length(features[at : at + ROWS_AT_ONCE])
            for at in range(0, len(features), ROWS_AT_ONCE)
        ]
        lengths = np.concatenate(pieces) if pieces else np.empty(0)
        scores: Rows = 2.0 ** (-lengths / self._usual_length)
        return scores

    def _mean_path_length(self, features: npt.NDArray[np.float32]) -> Rows:
        rows = np.arange(len(features))[:, None]
        nodes = np.broadcast_to(self._roots, (len(features), len(self._roots)))
        for _ in range(self._levels):
            goes_left = features[rows, self._feature[nodes]] <= self._threshold[nodes]
            nodes = np.where(goes_left, self._left[nodes], self._right[nodes])
        lengths: Rows = self._path_length[nodes].mean(axis=1)
        return lengths


def _children(
    of_trees: list[npt.NDArray[np.intp]], starts: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """Return children by position in the concatenation; a leaf is its own child."""
    flat = []
    for children, start in zip(of_trees, starts, strict=True):
        own = np.arange(len(children))
        flat.append(np.where(children < 0, own, children) + start)
    return np.concatenate(flat).astype(np.intp)


def _path_lengths(tree: object) -> Rows:
    """Return for each node its depth and what an unbuilt subtree over its samples would add."""
    left, right = tree.children_left, tree.children_right  # type: ignore[attr-defined]  # untyped
    depth = np.zeros(len(left))
    for node in range(len(left)):  # parents come before their children
        if left[node] >= 0:
            depth[[left[node], right[node]]] = depth[node] + 1
    lengths: Rows = depth + _average_path_length(tree.n_node_samples)  # type: ignore[attr-defined]
    return lengths


def _average_path_length(samples: npt.NDArray[np.intp]) -> Rows:
    """Return c(n), the mean depth of an unsuccessful search in a tree of n samples (Liu et al.)."""
    n = samples.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        general = 2 * (np.log(n - 1) + np.euler_gamma) - 2 * (n - 1) / n
    lengths: Rows = np.where(n <= 1, 0.0, np.where(n == 2, 1.0, general))
    return lengths
