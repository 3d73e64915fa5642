"""A host is judged from all its channels, also from how they move together."""

import numpy as np
import pytest

from anomaly.detectors import Terms
from anomaly.detectors.subspace import WINDOW_SAMPLES
from anomaly.evaluation import QueryEvaluation
from anomaly.joint_subspace import JointSubspace
from anomaly.panel import Block
from anomaly.view import State
from tests.anomaly.series import query, time_of

SAMPLES = 300


def key(host: str, channel: int):
    return (("channel", str(channel)), ("host", host))


def channels_moving_together(seed: int) -> np.ndarray:
    """Return three channels that follow the same load."""
    rng = np.random.default_rng(seed)
    load = np.zeros(SAMPLES)
    for at in range(1, SAMPLES):
        load[at] = 0.9 * load[at - 1] + rng.normal()
    return np.array([load * factor + 0.05 * rng.normal(size=SAMPLES) for factor in (1, 2, -1)])


def judged(hosts: dict[str, np.ndarray], **policy) -> QueryEvaluation:
    evaluation = QueryEvaluation("load", query(group_by=("host",), detector="ensemble", **policy))
    keys = tuple(key(host, at) for host, rows in hosts.items() for at in range(len(rows)))
    values = np.vstack(list(hosts.values()))
    evaluation.advance(Block(keys, [time_of(at) for at in range(SAMPLES)], values))
    return evaluation


def scores_of(evaluation: QueryEvaluation, host: str) -> set[float]:
    views = evaluation.views(time_of(SAMPLES - 1))
    assert all(view.state is State.READY for view in views)
    return {view.score for view in views if dict(view.key)["host"] == host}


def test_all_series_of_an_entity_show_its_score():
    evaluation = judged({"a": channels_moving_together(1), "b": channels_moving_together(2)})
    (a,), (b,) = scores_of(evaluation, "a"), scores_of(evaluation, "b")
    assert a != b


def test_channels_that_stop_moving_together_are_strange_though_each_is_in_its_range():
    usual = channels_moving_together(1)
    broken = usual.copy()
    broken[1, -6:] = -broken[1, -6:]
    assert np.abs(broken[1, -6:]).max() < np.abs(usual[1, :-6]).max()
    (before,) = scores_of(judged({"a": usual}), "a")
    (after,) = scores_of(judged({"a": broken}), "a")
    assert after > 2 * before


def test_one_host_says_nothing_of_another():
    alone = scores_of(judged({"a": channels_moving_together(1)}), "a")
    wild = channels_moving_together(2)
    wild[:, -6:] += 50
    assert scores_of(judged({"a": channels_moving_together(1), "b": wild}), "a") == alone


def test_a_missing_channel_does_not_silence_the_others():
    rows = channels_moving_together(1)
    rows[0, 200:] = np.nan
    rows[1:, -6:] += 20
    evaluation = judged({"a": rows}, stale_after=100.0, absent_after=200.0)
    views = {view.key: view for view in evaluation.views(time_of(SAMPLES - 1))}
    assert views[key("a", 0)].state is State.ABSENT
    assert views[key("a", 1)].score == pytest.approx(views[key("a", 2)].score)
    assert views[key("a", 1)].score > 1


def test_a_minimum_deviation_singles_out_the_channels_that_matter():
    rows = channels_moving_together(1)
    rows[2, -6:] += 40
    evaluation = judged({"a": rows}, minimum_deviation={"absolute": 10.0})
    assert {episode.key for episode in evaluation.episodes() if episode.is_open} == {key("a", 2)}


def scattered(rows: np.ndarray) -> np.ndarray:
    return np.where(np.random.default_rng(8).uniform(size=rows.shape) < 0.2, np.nan, rows)


def nearly_all_gone(rows: np.ndarray) -> np.ndarray:
    gappy = rows.copy()
    gappy[2, 4:] = np.nan
    return gappy


@pytest.mark.parametrize("gaps", [scattered, nearly_all_gone])
def test_how_channels_move_together_is_learned_in_spite_of_gaps(gaps):
    terms = Terms(
        step_seconds=10.0, history_seconds=3_000.0, minimum_samples=20, smallest_spread=0.0
    )
    rows = channels_moving_together(1)
    joint = JointSubspace(terms)
    joint.learn(gaps(rows)[:, :-6].astype(np.float32))
    usual, broken = rows[:, -WINDOW_SAMPLES:].copy(), rows[:, -WINDOW_SAMPLES:].copy()
    broken[1] = -broken[1]
    if gaps is nearly_all_gone:
        usual[2] = broken[2] = np.nan
    assert joint.score(broken) > 3 * joint.score(usual)
