"""One query over time: nothing looks ahead, learns an incident or scores too early."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.episodes import Ending
from anomaly.evaluation import QueryEvaluation
from anomaly.view import State
from tests.anomaly.series import block, evaluated, key, noise, query, scores_of, time_of


def view_of(evaluation: QueryEvaluation, now: float, name: str = "/search"):
    return next(view for view in evaluation.views(now) if view.key == key(name))


def test_a_new_series_is_warming_and_has_no_score_rather_than_zero():
    evaluation = evaluated(noise(15))
    view = view_of(evaluation, time_of(14))
    assert view.state is State.WARMING
    assert view.score is None
    assert view.expected is None


def test_it_is_ready_once_it_has_learned_for_long_enough():
    evaluation = evaluated(noise(60))
    view = view_of(evaluation, time_of(59))
    assert view.state is State.READY
    assert 0 <= view.score < 1
    assert view.lower < view.expected < view.upper


def test_a_level_shift_becomes_an_episode_that_starts_where_the_shift_did():
    values = noise(120)
    values[100:] += 30
    (episode,) = evaluated(values).episodes()
    assert episode.started_seconds == time_of(100)
    assert episode.is_open


def test_a_single_spike_does_not():
    values = noise(120)
    values[100] += 100
    evaluation = evaluated(values)
    assert evaluation.episodes() == []
    assert scores_of(evaluation)[100] > 1


def test_an_episode_ends_when_the_level_returns():
    values = noise(160)
    values[100:120] += 30
    (episode,) = evaluated(values).episodes()
    assert episode.ending is Ending.RECOVERED
    assert time_of(120) <= episode.ended_seconds <= time_of(126)


def test_a_shift_longer_than_the_window_keeps_firing():
    values = noise(1_000)
    values[100:] += 30
    (episode,) = evaluated(values).episodes()
    assert episode.is_open


def test_after_an_incident_the_band_is_that_of_a_series_that_had_none():
    shaken = noise(400)
    shaken[200:230] += 30
    evaluation = evaluated(shaken)
    (episode,) = evaluation.episodes()
    times = np.array([time_of(at) for at in range(400)])
    without = np.where(
        (times >= episode.started_seconds) & (times <= episode.ended_seconds), np.nan, shaken
    )
    after, calm = (view_of(one, time_of(399)) for one in (evaluation, evaluated(without)))
    assert (after.expected, after.lower, after.upper) == (calm.expected, calm.lower, calm.upper)


@settings(max_examples=20, deadline=None)
@given(
    cut=st.integers(60, 140),
    future=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=10),
)
def test_the_future_changes_no_score_of_the_past(cut, future):
    values = noise(150)
    other = np.concatenate([values[:cut], future])
    np.testing.assert_array_equal(
        scores_of(evaluated(values))[:cut], scores_of(evaluated(other))[:cut]
    )


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_how_samples_are_read_changes_no_score(sizes):
    values = noise(150)
    values[100:110] += 20
    whole = evaluated(values)
    pieces = QueryEvaluation("response-time", query())
    first = 0
    for size in [*sizes, len(values)]:
        piece = values[first : first + size]
        pieces.advance(block({"/search": piece}, first=first))
        first += len(piece)
    np.testing.assert_array_equal(scores_of(pieces), scores_of(whole))
    assert pieces.episodes() == whole.episodes()


def test_a_sample_read_twice_is_judged_once():
    evaluation = evaluated(noise(100))
    before = scores_of(evaluation)
    evaluation.advance(block({"/search": noise(100)}))
    np.testing.assert_array_equal(scores_of(evaluation), before)


def test_series_do_not_influence_each_other():
    alone = evaluated(noise(120))
    both = QueryEvaluation("response-time", query())
    both.advance(block({"/other": noise(120, seed=9) * 50, "/search": noise(120)}))
    np.testing.assert_array_equal(scores_of(both), scores_of(alone))


def test_a_series_without_samples_is_stale_then_absent_and_its_score_is_gone():
    evaluation = evaluated(noise(100), stale_after=30.0, absent_after=100.0)
    assert view_of(evaluation, time_of(100)).state is State.READY
    evaluation.advance(block({"/other": noise(8)}, first=100))
    stale = view_of(evaluation, time_of(107))
    assert (stale.state, stale.score) == (State.STALE, None)
    evaluation.advance(block({"/other": noise(12)}, first=108))
    absent = view_of(evaluation, time_of(119))
    assert (absent.state, absent.score) == (State.ABSENT, None)


def test_a_silent_prometheus_makes_series_stale_but_never_absent():
    evaluation = evaluated(noise(100), stale_after=30.0, absent_after=100.0)
    assert view_of(evaluation, time_of(5_000)).state is State.STALE


def test_a_silent_prometheus_ends_no_episode_and_a_vanished_series_does():
    values = noise(120)
    values[100:] += 30
    evaluation = evaluated(values, absent_after=100.0)
    (episode,) = evaluation.episodes()
    assert episode.is_open
    evaluation.advance(block({"/other": noise(12)}, first=120))
    (episode,) = evaluation.episodes()
    assert episode.ending is Ending.ABSENT


def test_a_series_not_seen_for_a_whole_window_is_dropped_and_begins_anew():
    evaluation = evaluated(noise(100))
    evaluation.advance(block({"/other": noise(302)}, first=100))
    assert [view.key for view in evaluation.views(time_of(401))] == [key("/other")]
    evaluation.advance(block({"/search": noise(5)}, first=402))
    assert view_of(evaluation, time_of(406)).state is State.WARMING


def test_history_is_learned_but_begins_no_episode():
    values = noise(120)
    values[60:90] += 30
    evaluation = QueryEvaluation("response-time", query(), live_after_seconds=time_of(119))
    evaluation.advance(block({"/search": values}))
    assert evaluation.episodes() == []
    assert view_of(evaluation, time_of(119)).state is State.READY


def test_after_a_restart_a_running_episode_goes_on_and_is_not_learned():
    values = noise(200)
    values[100:] += 30
    before = evaluated(values[:150])
    (running,) = before.episodes()
    after = QueryEvaluation(
        "response-time", query(), episodes=[running], live_after_seconds=time_of(149)
    )
    after.advance(block({"/search": values}))
    assert after.episodes() == [running]
    assert view_of(after, time_of(199)).expected == pytest.approx(10.0, abs=0.5)


def test_an_episode_that_was_over_during_a_restart_ends():
    values = noise(200)
    values[100:150] += 30
    (running,) = evaluated(values[:140]).episodes()
    after = QueryEvaluation(
        "response-time", query(), episodes=[running], live_after_seconds=time_of(139)
    )
    after.advance(block({"/search": values}))
    (episode,) = after.episodes()
    assert episode.id == running.id
    assert episode.ending is Ending.RECOVERED


def test_reading_goes_on_where_it_ended_and_never_reads_an_open_sample():
    evaluation = evaluated(noise(100), late_data_delay=15.0)
    assert evaluation.next_read(time_of(99) + 24) is None
    assert evaluation.next_read(time_of(99) + 25) == (time_of(100), time_of(100))
    assert evaluation.next_read(time_of(99) + 47) == (time_of(100), time_of(102))


def test_a_clock_that_jumps_back_reads_nothing_twice():
    assert evaluated(noise(100)).next_read(time_of(50)) is None


def test_after_a_long_outage_only_one_window_is_read():
    first, last = evaluated(noise(100)).next_read(time_of(5_000))
    assert (last - first) / 10 == 299


def test_a_challenger_is_scored_and_never_alerts():
    values = noise(140)
    values[120:] += 30
    evaluation = evaluated(
        values, challengers=("isolation-forest",), minimum_deviation={"absolute": 1000.0}
    )
    scores = view_of(evaluation, time_of(139)).scores
    assert set(scores) == {"robust-zscore", "isolation-forest"}
    assert evaluation.episodes() == []


@settings(max_examples=4, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_series_that_come_and_go_are_judged_alike_however_they_are_read(sizes):
    policy = {"history": 600.0, "absent_after": 100.0}
    rows = {
        "/search": np.concatenate([noise(100), np.full(80, np.nan), noise(120, seed=2)]),
        "/late": np.concatenate([np.full(120, np.nan), noise(180, seed=3)]),
        "/firing": np.concatenate([noise(80, seed=4), np.full(40, 90.0), np.full(180, np.nan)]),
        "/never": np.full(300, np.nan),
    }
    whole, pieces = (QueryEvaluation("response-time", query(**policy)) for _ in range(2))
    whole.advance(block(rows))
    first = 0
    for size in [*sizes, 300]:
        part = {name: values[first : first + size] for name, values in rows.items()}
        pieces.advance(block(part, first=first))
        first = min(300, first + size)
    assert pieces.episodes() == whole.episodes()
    assert pieces.changed_episodes() == whole.changed_episodes()
    assert {view.key: view.scores for view in pieces.views(time_of(299))} == {
        view.key: view.scores for view in whole.views(time_of(299))
    }
    assert key("/never") not in {view.key for view in whole.views(time_of(299))}
