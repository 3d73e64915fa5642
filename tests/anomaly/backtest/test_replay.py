"""A backtest says what the live service said of the same samples."""

import time
from datetime import UTC, datetime

import numpy as np
import pytest

from anomaly.answers import RangeClient
from anomaly.backtest.recording import FIELDS, Recording
from anomaly.backtest.replay import replay
from anomaly.backtest.samples import from_prometheus
from anomaly.ledger import Ledger
from anomaly.runner import QueryRunner
from tests.anomaly.series import Recorded, block, noise, query, time_of
from tests.anomaly.servers import prometheus_holding
from watchkeeper.clock import ManualClock
from watchkeeper.storage import open_database, sqlite_url


def troubled() -> dict[str, np.ndarray]:
    """Return series that have a shift, come, go, and have gaps."""
    search, late, gone = noise(400), noise(400, seed=2), noise(400, seed=3)
    search[320:350] += 30
    late[:330] = np.nan
    gone[340:] = np.nan
    gone[60:75] = np.nan
    return {"/search": search, "/late": late, "/gone": gone}


def live_run(tmp_path, reader, settings, *, first: int, last: int, strides=(1, 2, 7)) -> tuple:
    """Let the live service's own runner go from sample to sample; return all it said."""
    clock = ManualClock(datetime.fromtimestamp(time_of(first), UTC))
    recording = Recording(time_of(first) + 1)
    runner = QueryRunner(
        "response-time",
        settings,
        reader=reader,
        ledger=Ledger(open_database(sqlite_url(tmp_path / "live.db"))),
        clock=clock,
        told=recording.keep,
    )
    at, turn = first, 0
    assert runner.run().error is None
    while at < last:
        stride = min(strides[turn % len(strides)], last - at)
        at, turn = at + stride, turn + 1
        clock.advance(stride * settings.step)
        assert runner.run().error is None
    return recording.tracks(), runner.evaluation.episodes()


def assert_same(live: dict, said: dict) -> None:
    assert set(live) == set(said)
    for key, track in live.items():
        for field in ("times_seconds", *FIELDS):
            np.testing.assert_allclose(
                getattr(said[key], field), getattr(track, field), rtol=0, atol=1e-9
            )
        assert np.isfinite(track.score).any()


@pytest.mark.parametrize("detector", ["robust-zscore", "ensemble", "seasonal-envelope"])
def test_it_is_what_live_said(tmp_path, detector):
    settings = query(detector=detector, history=2_500.0)
    rows = troubled()
    live, episodes = live_run(tmp_path, Recorded(rows), settings, first=299, last=399)
    samples = from_prometheus(
        Recorded(rows), settings, from_seconds=time_of(300), until_seconds=time_of(399)
    )
    # Live began at the end of its history: one window up to sample 299.
    back = replay("response-time", settings, samples, from_seconds=time_of(300))
    assert [one.id for one in back.alarms] == [one.id for one in episodes]
    assert back.alarms == episodes
    assert len(episodes) >= 1
    assert_same(live, back.tracks)


@pytest.mark.live
def test_it_is_what_live_said_of_a_real_prometheus(tmp_path):
    begin = int(time.time()) // 10 * 10 - 3_000
    values = troubled()["/search"]
    points = [(begin + at * 10, float(value)) for at, value in enumerate(values[:300])]
    settings = query(history=1_000.0, expression="sum by (service) (latency)")
    with prometheus_holding(tmp_path, {'latency{service="taskboard"}': points}) as client:
        clock = ManualClock(datetime.fromtimestamp(begin + 2_000, UTC))
        recording = Recording(begin + 2_001)
        runner = QueryRunner(
            "response-time",
            settings,
            reader=RangeClient(client),
            ledger=Ledger(open_database(sqlite_url(tmp_path / "live.db"))),
            clock=clock,
            told=recording.keep,
        )
        for _ in range(60):
            assert runner.run().error is None
            clock.advance(10)
        samples = from_prometheus(
            RangeClient(client), settings, from_seconds=begin + 2_010, until_seconds=begin + 2_590
        )
    back = replay("response-time", settings, samples, from_seconds=begin + 2_010)
    assert_same(recording.tracks(), back.tracks)


def test_nothing_before_its_beginning_can_alarm():
    rows = troubled()
    back = replay("response-time", query(), block(rows), from_seconds=time_of(360))
    assert [one.started_seconds >= time_of(360) for one in back.alarms] == [True] * len(back.alarms)
    assert all(len(track.times_seconds) == 40 for track in back.tracks.values())


def test_an_alarm_is_dated_when_there_was_evidence_enough():
    values = noise(200)
    values[150:] += 30
    back = replay("response-time", query(), block({"/search": values}), from_seconds=time_of(50))
    (alarm,) = back.alarms
    assert (alarm.started_seconds, alarm.fired_seconds) == (time_of(150), time_of(152))


def test_no_samples_are_no_alarms():
    back = replay("response-time", query(), block({}), from_seconds=time_of(0))
    assert (back.tracks, back.alarms, back.weeks) == ({}, [], 0.0)
