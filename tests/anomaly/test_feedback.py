"""What people say takes effect at the next evaluation, can be undone, and is exact."""

import dataclasses

import numpy as np
import pytest

from anomaly.episodes import Ending
from anomaly.evaluation import QueryEvaluation
from anomaly.feedback import Feedback, Kind
from tests.anomaly.series import block, evaluated, key, noise, query, time_of


def word(kind: Kind, **said) -> Feedback:
    """Return something said of /search at sample 150."""
    return Feedback(
        **{
            "id": kind.value,
            "kind": kind,
            "query": "response-time",
            "labels": key("/search"),
            "exact": True,
            "starts_seconds": time_of(100),
            "by": "ada",
            "reason": "",
            "created_seconds": time_of(150),
            **said,
        }
    )


def shifted(samples: int = 200) -> np.ndarray:
    """Return noise around 10 that lies around 40 from sample 100 on."""
    values = noise(samples)
    values[100:] += 30
    return values


def band_of(evaluation: QueryEvaluation) -> tuple[float, float, float]:
    (view,) = evaluation.views(time_of(0))
    return view.lower, view.expected, view.upper


def no_problem(evaluation: QueryEvaluation) -> Feedback:
    (episode,) = evaluation.episodes()
    return word(
        Kind.NOT_A_PROBLEM,
        episode=episode.id,
        starts_seconds=episode.started_seconds,
        above=1.25 * episode.above,
    )


def test_an_episode_knows_how_far_it_went():
    (episode,) = evaluated(shifted()).episodes()
    assert 28 < episode.above < 36
    assert episode.below == 0
    assert episode.peak_score > 1


def test_what_is_no_problem_stops_firing_and_does_not_fire_again():
    before = evaluated(shifted(150))
    after = before.corrected([no_problem(before)])
    after.advance(block({"/search": shifted()[150:]}, first=150))
    (episode,) = after.episodes()
    assert episode.ending is Ending.NOT_A_PROBLEM
    assert episode.ended_seconds == time_of(150)


def test_what_gets_much_worse_than_what_was_no_problem_fires_again():
    before = evaluated(shifted(150))
    after = before.corrected([no_problem(before)])
    after.advance(block({"/search": shifted()[150:] + 30}, first=150))
    assert [one.ending for one in after.episodes()] == [Ending.NOT_A_PROBLEM, None]


def test_taking_it_back_makes_it_fire_again_as_if_nothing_had_been_said():
    before = evaluated(shifted(150))
    said = no_problem(before)
    after = before.corrected([said]).corrected([said.undone(time_of(160), "grace")])
    assert after.episodes() == before.episodes()
    np.testing.assert_allclose(band_of(after), band_of(before), rtol=1e-6)


def test_an_accepted_level_is_the_new_normal_and_the_old_one_is_strange():
    before = evaluated(shifted())
    after = before.corrected([word(Kind.ACCEPT, created_seconds=time_of(199))])
    lower, expected, upper = band_of(after)
    assert lower < 40 < upper
    assert expected == pytest.approx(40, abs=1)
    assert [one.ending for one in after.episodes()] == [Ending.ACCEPTED]
    after.advance(block({"/search": noise(20, seed=3)}, first=200))
    assert [one.is_open for one in after.episodes()] == [False, True]


def test_an_accepted_level_too_short_to_know_is_warming_not_wrong():
    before = evaluated(shifted(110))
    after = before.corrected([word(Kind.ACCEPT, created_seconds=time_of(109))])
    (view,) = after.views(time_of(109))
    assert (view.state, view.score) == ("warming", None)


def test_an_excluded_stretch_leaves_the_band_as_if_it_had_never_been():
    shaken = noise(300)
    shaken[100:180] += np.linspace(0, 2, 80)  # too slow to be an episode of its own
    before = evaluated(shaken)
    said = word(
        Kind.EXCLUDE, starts_seconds=time_of(100), ends_seconds=time_of(179), exact=False, labels=()
    )
    without = np.concatenate([shaken[:100], np.full(80, np.nan), shaken[180:]])
    expected = band_of(evaluated(without))
    assert band_of(before) != pytest.approx(expected, rel=1e-6)
    assert band_of(before.corrected([said])) == pytest.approx(expected, rel=1e-6)


def test_maintenance_alerts_nobody_and_teaches_nothing():
    said = word(Kind.MAINTENANCE, starts_seconds=time_of(90), ends_seconds=time_of(160))
    values = noise(200)
    values[100:150] += 30
    evaluation = QueryEvaluation("response-time", query(), said=[said])
    evaluation.advance(block({"/search": values}))
    assert evaluation.episodes() == []
    without = np.concatenate([values[:90], np.full(71, np.nan), values[161:]])
    assert band_of(evaluation) == pytest.approx(band_of(evaluated(without)), rel=1e-6)


def test_maintenance_that_begins_ends_what_fires_and_what_outlasts_it_fires_again():
    said = word(Kind.MAINTENANCE, starts_seconds=time_of(120), ends_seconds=time_of(140))
    evaluation = QueryEvaluation("response-time", query(), said=[said])
    evaluation.advance(block({"/search": shifted()}))
    first, second = evaluation.episodes()
    assert (first.ending, first.ended_seconds) == (Ending.MAINTENANCE, time_of(120))
    assert second.is_open
    assert second.started_seconds == time_of(141)


def test_what_is_said_of_labels_concerns_the_series_that_carry_them():
    said = word(Kind.MAINTENANCE, exact=False, labels=(("service", "taskboard"),), query=None)
    assert said.concerns("memory", key("/any"))
    assert not said.concerns("memory", (("service", "other"),))
    assert not dataclasses.replace(said, query="cpu").concerns("memory", key("/any"))


def test_a_deploy_mark_changes_no_score():
    before = evaluated(shifted())
    after = before.corrected([word(Kind.DEPLOY)])
    assert after.episodes() == before.episodes()
