"""What an alert says beside its numbers."""

from datetime import UTC, datetime

import numpy as np
import pytest

from anomaly.episodes import Ending, Episode
from anomaly.explainer import Explainer, annotations_of
from anomaly.explanation import (
    Explanation,
    Movement,
    contributors,
    correlation_of,
    last_change,
    moved_along,
    nearest,
)
from anomaly.feedback import Feedback, Kind
from anomaly.ledger import Ledger
from anomaly.runner import QueryRunner
from tests.anomaly.series import Recorded, key, noise, query, time_of
from watchkeeper.clock import ManualClock
from watchkeeper.storage import open_database, sqlite_url


def movement(name: str, deviation: np.ndarray) -> Movement:
    return Movement("q", key(name), np.arange(len(deviation)) * 10.0, deviation)


def bump(at: int, samples: int = 60, height: float = 5.0) -> np.ndarray:
    values = 0.1 * np.sin(np.arange(samples) * 2.7)
    values[at : at + 10] += height
    return values


def test_what_moved_first_is_told_with_how_much_earlier():
    (found,) = moved_along(
        movement("/search", bump(30)), [movement("/db", bump(27)), movement("/calm", bump(99))]
    )
    assert found.movement.key == key("/db")
    assert found.later_seconds == -30.0
    assert found.correlation == pytest.approx(1.0, abs=0.02)


def test_what_went_down_as_it_went_up_moved_along_too():
    (found,) = moved_along(movement("/search", bump(30)), [movement("/hits", -bump(30))])
    assert found.correlation < -0.9
    assert found.later_seconds == 0.0


def test_noise_that_happens_to_correlate_but_never_left_its_band_is_not_told():
    assert moved_along(movement("/search", bump(30)), [movement("/db", bump(30) / 10)]) == []


def test_gaps_and_silence_are_no_correlation():
    silent = movement("/db", np.full(60, np.nan))
    assert moved_along(movement("/search", bump(30)), [silent]) == []
    assert correlation_of(np.ones(20), np.ones(20)) is None


def test_channels_are_told_by_their_share():
    shares = contributors([movement("/a", bump(5, height=8)), movement("/b", bump(5, height=4))])
    assert [one.key for one, _ in shares] == [key("/a"), key("/b")]
    assert sum(share for _, share in shares) == pytest.approx(1.0)
    assert shares[0][1] == pytest.approx(0.8, abs=0.02)


def episode(start: float, name: str = "/search", above: float = 5.0) -> Episode:
    return Episode("q", key(name), start, start + 60, Ending.RECOVERED, above=above)


def test_the_most_similar_episode_is_of_the_same_series_and_size_if_there_is_one():
    now = episode(1_000.0)
    small, alike, other = episode(100.0, above=1.0), episode(200.0), episode(300.0, "/db")
    assert nearest(now, [small, alike, other, now]) == alike
    assert nearest(now, [other, now]) == other
    assert nearest(now, [episode(2_000.0)]) is None


def deploy(at: float, **said) -> Feedback:
    return Feedback(
        **{
            "id": str(at),
            "kind": Kind.DEPLOY,
            "query": None,
            "labels": (("service", "taskboard"),),
            "exact": False,
            "starts_seconds": at,
            "by": "ada",
            "reason": "v2",
            "created_seconds": at,
            **said,
        }
    )


def test_the_newest_deploy_before_it_is_told_and_no_other():
    marks = [
        deploy(500.0),
        deploy(900.0),
        deploy(1_500.0),
        deploy(950.0, undone_seconds=960.0),
        deploy(960.0, labels=(("service", "other"),)),
    ]
    found = last_change(episode(1_000.0), marks)
    assert found == marks[1]
    told = annotations_of(Explanation(last_change=found), episode(1_000.0))
    assert told == {"last_change": "deploy by ada, 100 s before: v2"}


def test_an_episode_is_explained_by_what_its_service_did(tmp_path):
    search, database = noise(200), noise(200, seed=2)
    search[150:] += 30
    database[147:] += 30
    rows = {"/search": search, "/db": database, "/calm": noise(200, seed=3)}
    clock = ManualClock(datetime.fromtimestamp(time_of(100), UTC))
    ledger = Ledger(open_database(sqlite_url(tmp_path / "anomaly.db")))
    runner = QueryRunner("latency", query(), reader=Recorded(rows), ledger=ledger, clock=clock)
    ledger.feedback.add(deploy(time_of(145)))
    runner.run()
    clock.advance(600)
    runner.run()
    explainer = Explainer(lambda: [runner], ledger.feedback, lambda _query: 0.5)
    slow = next(one for one in runner.evaluation.episodes() if one.key == key("/search"))
    found = explainer.explain(slow)
    (along,) = found.moved_along
    assert (along.movement.key, along.later_seconds) == (key("/db"), -30.0)
    told = annotations_of(found, slow)
    assert told["moved_along"] == "latency (http_route /db) 30 s earlier"
    assert told["last_change"].startswith("deploy by ada, 50 s before")
    assert told["backtest"] == "0.5 such alarms a week"
