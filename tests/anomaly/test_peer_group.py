"""Of a group the member that leaves the others is strange, not the group that moves together."""

import numpy as np
import pytest

from anomaly.detectors import Moment, Past, Terms
from anomaly.detectors.peer_group import PeerGroup
from tests.anomaly.series import window_of

TERMS = Terms(step_seconds=10.0, history_seconds=2_000.0, minimum_samples=20, smallest_spread=0.0)


def members(count: int, samples: int = 100) -> np.ndarray:
    """Return series that follow one load, each at a level of its own."""
    rng = np.random.default_rng(5)
    load = 20 * np.sin(np.arange(samples) / 10)
    return np.array([100 + 5 * at + load + rng.normal(size=samples) for at in range(count)])


def trained(rows: np.ndarray) -> PeerGroup:
    detector = PeerGroup(TERMS)
    detector.resize(len(rows))
    for at in range(rows.shape[1]):
        seen = rows[:, : at + 1].astype(np.float32)
        detector.learn(Past(10.0 * at, rows[:, at], window_of(seen)))
    return detector


def score(detector: PeerGroup, values: np.ndarray) -> np.ndarray:
    return detector.score(Moment(1_000.0, values, np.empty((len(values), 0), dtype=np.float32)))


def test_what_happens_to_all_members_is_nobodys_anomaly():
    rows = members(5)
    together = rows[:, -1] + 500
    assert score(trained(rows), together).max() < 4


def test_the_member_that_leaves_the_others_is_found_within_the_range_of_the_load():
    rows = members(5)
    values = rows[:, -1].copy()
    values[2] += 15
    scores = score(trained(rows), values)
    assert scores.argmax() == 2
    assert scores[2] > 8
    assert np.delete(scores, 2).max() < 4


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_than_three_are_judged_by_their_own_history(count):
    rows = members(count)
    usual = score(trained(rows), rows[:, -1])
    far = score(trained(rows), rows[:, -1] + 500)
    assert (far > usual + 5).all()
