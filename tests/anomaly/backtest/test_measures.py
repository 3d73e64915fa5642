"""Recall, precision, delay and alarms a week, by hand."""

import numpy as np
import pytest

from anomaly.backtest.events import Event, events_from
from anomaly.backtest.injection import LENGTH_SAMPLES, inject
from anomaly.backtest.measures import measure, together
from anomaly.backtest.replay import Replay, replay
from anomaly.episodes import Ending, Episode
from anomaly.panel import Block
from tests.anomaly.series import block, key, noise, query, time_of
from watchkeeper.errors import ConfigError

WEEK_SECONDS = 7 * 86_400.0


def alarm(start: float, end: float, name: str = "/search") -> Episode:
    return Episode(
        "response-time", key(name), start, end, Ending.RECOVERED, fired_seconds=start + 20
    )


def replayed(*alarms: Episode) -> Replay:
    tracks = dict.fromkeys([key("/search"), key("/other")])
    return Replay("response-time", query(), 0.0, 2 * WEEK_SECONDS, tracks, list(alarms))


def test_two_of_three_alarms_were_right_and_one_of_two_events_was_found():
    events = [Event(1_000.0, 2_000.0), Event(50_000.0, 51_000.0)]
    found = measure(replayed(alarm(1_010, 1_500), alarm(1_600, 1_700), alarm(9_000, 9_100)), events)
    assert (found.recall, found.precision) == (0.5, pytest.approx(2 / 3))
    assert found.delays_seconds == (30.0,)
    assert found.alarms_a_week == 1.5
    assert found.false_alarms_a_series_week == 0.25


def test_an_alarm_about_another_series_or_query_explains_nothing():
    events = [
        Event(1_000.0, 2_000.0, labels=(("http_route", "/other"),)),
        Event(1_000.0, 2_000.0, query="memory"),
    ]
    found = measure(replayed(alarm(1_010, 1_500)), events)
    assert (found.events, found.found, found.true_alarms) == (1, 0, 0)


def test_an_alarm_that_begins_long_after_the_event_is_not_about_it():
    found = measure(replayed(alarm(3_000, 4_000)), [Event(1_000.0, 2_000.0)])
    assert found.found == 0


def test_without_events_there_is_no_precision_rather_than_a_perfect_one():
    found = measure(replayed(alarm(3_000, 4_000)), [])
    assert (found.recall, found.precision) == (None, None)


def test_queries_add_up():
    one = measure(replayed(alarm(1_010, 1_500)), [Event(1_000.0, 2_000.0)])
    both = together([one, one])
    assert (both.alarms, both.events, both.recall, both.weeks) == (2, 2, 1.0, 2.0)


def test_injected_faults_are_found_and_the_same_seed_gives_the_same_ones():
    samples = block({"/search": noise(1_200), "/other": noise(1_200, seed=5)})
    policy = query(detector="seasonal-envelope", envelope="seasonal-envelope", history=6_000.0)
    shaken, events = inject(
        samples, policy, query="response-time", from_seconds=time_of(300), a_series=3, seed=7
    )
    again, _ = inject(
        samples, policy, query="response-time", from_seconds=time_of(300), a_series=3, seed=7
    )
    np.testing.assert_array_equal(shaken.values, again.values)
    assert len(events) == 6
    assert (samples.values != shaken.values).sum() <= 6 * LENGTH_SAMPLES
    found = measure(replay("response-time", policy, shaken, from_seconds=time_of(300)), events)
    assert found.recall == 1.0


def test_no_fault_is_put_where_there_is_no_room():
    samples = block({"/search": noise(100)})
    shaken, events = inject(
        samples, query(), query="response-time", from_seconds=time_of(50), a_series=2, seed=1
    )
    assert events == []
    np.testing.assert_array_equal(shaken.values, samples.values)


def test_a_fault_goes_to_the_side_the_policy_looks_at():
    samples = Block((key("/search"),), [time_of(at) for at in range(600)], noise(600)[None, :])
    policy = query(direction="below")
    shaken, _ = inject(
        samples, policy, query="response-time", from_seconds=time_of(50), a_series=3, seed=1
    )
    assert (shaken.values <= samples.values).all()


def test_labels_are_read_with_their_series(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(
        "start,end,query,service\n"
        "2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,,taskboard\n"
        "1767225600,1767229200,memory,\n"
    )
    first, second = events_from(path)
    assert first == Event(1767225600.0, 1767229200.0, None, (("service", "taskboard"),))
    assert second == Event(1767225600.0, 1767229200.0, "memory")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("begin,end\n", ":1: expected the columns start and end"),
        ("start,end\nyesterday,1\n", ":2: "),
        ("start,end\n5,1\n", ":2: end: expected a time at or after start"),
    ],
)
def test_labels_that_cannot_be_read_are_told_with_their_line(tmp_path, text, told):
    path = tmp_path / "events.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=told):
        events_from(path)
