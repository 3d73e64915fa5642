"""Flat arrays give the scores scikit-learn gives."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from anomaly.detectors.flat_forest import ROWS_AT_ONCE, FlatForest


@pytest.mark.parametrize("training_rows", [2, 3, 100, 600])
def test_every_row_scores_as_in_scikit_learn(training_rows):
    rng = np.random.default_rng(training_rows)
    rows = rng.normal(size=(training_rows, 3))
    forest = IsolationForest(
        n_estimators=20, max_samples=min(256, training_rows), random_state=1
    ).fit(rows)
    judged = rng.normal(size=(ROWS_AT_ONCE + 10, 3)) * 3
    np.testing.assert_allclose(
        FlatForest(forest).isolation(judged), -forest.score_samples(judged), rtol=0, atol=1e-12
    )


def test_rows_score_the_same_alone_and_together():
    rng = np.random.default_rng(1)
    forest = FlatForest(
        IsolationForest(n_estimators=20, random_state=1).fit(rng.normal(size=(300, 3)))
    )
    judged = rng.normal(size=(5, 3))
    together = forest.isolation(judged)
    alone = [forest.isolation(row[None, :])[0] for row in judged]
    np.testing.assert_array_equal(together, alone)


def test_no_rows_have_no_scores():
    forest = IsolationForest(n_estimators=5, random_state=1).fit(
        np.random.default_rng(1).normal(size=(50, 3))
    )
    assert FlatForest(forest).isolation(np.empty((0, 3))).shape == (0,)
