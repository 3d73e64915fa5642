"""Late, missing and disordered samples, clocks that jump, steps that change, series that churn."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from anomaly.answers import Answer, RangeClient
from anomaly.backtest.recording import Recording
from anomaly.evaluation import QueryEvaluation
from anomaly.ledger import Ledger
from anomaly.runner import QueryRunner
from anomaly.service import is_overdue
from tests.anomaly.series import (
    START_SECONDS,
    STEP_SECONDS,
    Recorded,
    block,
    evaluated,
    noise,
    query,
    scores_of,
    time_of,
)
from tests.anomaly.servers import prometheus_holding
from watchkeeper.clock import ManualClock
from watchkeeper.storage import open_database, sqlite_url


class Desk:
    """A runner over samples that a test adds to, with a clock that it moves."""

    def __init__(self, tmp_path, samples: int, **policy) -> None:
        self.reader = Recorded({"/search": noise(samples)})
        self.ledger = Ledger(open_database(sqlite_url(tmp_path / "anomaly.db")))
        self.now = time_of(99)
        self.recording = Recording(time_of(100))
        self.restart(**policy)
        self.run()

    def restart(self, **policy) -> None:
        self.clock = ManualClock(datetime.fromtimestamp(self.now, UTC))
        self.runner = QueryRunner(
            "q",
            query(**policy),
            reader=self.reader,
            ledger=self.ledger,
            clock=self.clock,
            told=self.recording.keep,
        )

    def run(self, seconds: float = 0.0) -> None:
        self.clock.advance(seconds)
        self.now += seconds
        assert self.runner.run().error is None

    def judged(self) -> np.ndarray:
        (track,) = self.recording.tracks().values()
        return track.times_seconds[np.isfinite(track.score)]


def test_a_sample_that_comes_after_its_time_was_judged_stays_a_gap(tmp_path):
    desk = Desk(tmp_path, 100)
    desk.run(STEP_SECONDS)
    desk.reader.rows["/search"] = noise(102)
    desk.run(STEP_SECONDS)
    assert desk.judged().tolist() == [time_of(101)]


def test_a_delay_gives_a_late_sample_its_time(tmp_path):
    desk = Desk(tmp_path, 100, late_data_delay=STEP_SECONDS)
    desk.run(STEP_SECONDS)
    desk.reader.rows["/search"] = noise(102)
    desk.run(STEP_SECONDS)
    desk.run(STEP_SECONDS)
    assert desk.judged().tolist() == [time_of(100), time_of(101)]


@pytest.mark.parametrize("jump", [-5.0, 5.0, -25.0])
def test_a_clock_that_jumps_skips_no_sample_and_judges_none_twice(tmp_path, jump):
    desk = Desk(tmp_path, 300)
    for _ in range(5):
        desk.run(STEP_SECONDS)
    moved = ManualClock(datetime.fromtimestamp(desk.now + jump, UTC))
    desk.runner._clock = moved
    for _ in range(8):
        assert desk.runner.run().error is None
        moved.advance(STEP_SECONDS)
    judged = desk.judged()
    np.testing.assert_array_equal(np.diff(judged), STEP_SECONDS)
    assert judged[0] == time_of(100)
    assert judged[-1] > moved.now().timestamp() - 3 * STEP_SECONDS


def test_after_a_day_ahead_by_mistake_the_samples_of_now_are_judged_again(tmp_path):
    desk = Desk(tmp_path, 300)
    desk.run(STEP_SECONDS)
    desk.runner._clock = ManualClock(datetime.fromtimestamp(desk.now + 86_400, UTC))
    desk.reader.rows["/ahead"] = noise(300 + 8_640)
    assert desk.runner.run().error is None
    desk.runner._clock = back = ManualClock(datetime.fromtimestamp(desk.now, UTC))
    for _ in range(5):
        back.advance(STEP_SECONDS)
        assert desk.runner.run().error is None
    last_judged = desk.runner.evaluation.judged_until_seconds
    assert 0 <= back.now().timestamp() - last_judged <= STEP_SECONDS
    assert [view.state for view in desk.runner.views()] == ["ready", "ready"]
    desk.now += 5 * STEP_SECONDS
    desk.restart()  # nor does a restart believe what was written ahead
    desk.run()
    assert desk.runner.evaluation.live_after_seconds <= desk.now


def test_a_query_that_is_not_evaluated_for_several_cadences_is_overdue(tmp_path):
    desk = Desk(tmp_path, 300, cadence=30.0)
    desk.clock.advance(149)
    assert not is_overdue(desk.runner)
    desk.clock.advance(2)
    assert is_overdue(desk.runner)
    desk.run()
    assert not is_overdue(desk.runner)


def test_an_outage_of_the_source_is_made_good_when_it_answers_again(tmp_path):
    desk = Desk(tmp_path, 300)
    desk.run(STEP_SECONDS)
    desk.run(20 * STEP_SECONDS)
    np.testing.assert_array_equal(np.diff(desk.judged()), STEP_SECONDS)
    assert len(desk.judged()) == 21


def test_with_another_step_history_is_read_anew_and_what_fires_goes_on_firing(tmp_path):
    desk = Desk(tmp_path, 300)
    desk.reader.rows["/search"][100:] += 30
    desk.run(20 * STEP_SECONDS)
    (before,) = desk.runner.evaluation.episodes()

    class Halved(Recorded):
        def query_range(self, expression, *, start, end, step_seconds):
            assert step_seconds == 20.0
            found = super().query_range(expression, start=start, end=end, step_seconds=10.0)
            return Answer(
                found.labels, (found.counts + 1) // 2, found.times_seconds[::2], found.values[::2]
            )

    desk.reader = Halved(desk.reader.rows)
    desk.restart(step=20.0, cadence=20.0, minimum_history=400.0)
    desk.run(40.0)
    (after,) = desk.runner.evaluation.episodes()
    assert (after.id, after.is_open) == (before.id, True)
    (view,) = desk.runner.views()
    assert view.expected == pytest.approx(10, abs=1)


def test_gaps_are_neither_zero_nor_evidence():
    values = noise(170)
    values[90:110] = np.nan
    evaluation = evaluated(values)
    scores = scores_of(evaluation)
    assert np.isnan(scores[90:110]).all()
    assert evaluation.episodes() == []
    firing = noise(200)
    firing[100:103] += 30
    firing[103:150] = np.nan
    firing[150:] += 30
    (episode,) = evaluated(firing, absent_after=3_000.0).episodes()
    assert episode.is_open


def test_ten_times_the_series_that_come_and_go_take_no_more_room():
    evaluation = QueryEvaluation("q", query(history=400.0, maximum_series=1_000))
    for generation in range(10):
        names = {f"/{generation}-{at}": noise(45, seed=at) for at in range(50)}
        evaluation.advance(block(names, first=generation * 45))
    assert len(evaluation.series_in) <= 100
    assert evaluation._panel.slots <= 110
    assert evaluation.dropped_series == 0


@pytest.mark.live
def test_a_counter_that_starts_again_is_no_anomaly_behind_rate(tmp_path):
    begin = START_SECONDS
    total, points = 0.0, []
    for at in range(200):
        total = 0.0 if at == 150 else total + 5 + at % 3
        points.append((begin + at * 10, total))
    # What was counted just before the restart is lost to rate(): a dip of a seventh, for a minute.
    settings = query(
        expression="rate(latency[60s])", history=1_500.0, minimum_deviation={"relative": 0.2}
    )
    with prometheus_holding(tmp_path, {'latency{http_route="/x"}': points}) as client:
        runner = QueryRunner(
            "q",
            settings,
            reader=RangeClient(client),
            ledger=Ledger(open_database(sqlite_url(tmp_path / "a.db"))),
            clock=ManualClock(datetime.fromtimestamp(begin + 1_000, UTC)),
        )
        runner.run()
        runner._clock.advance(990)
        runner.run()
    assert runner.evaluation.episodes() == []
    (view,) = runner.views()
    assert view.actual == pytest.approx(0.6, abs=0.1)
