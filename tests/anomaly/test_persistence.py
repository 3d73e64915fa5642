"""When anomalous samples become an episode, and when it is over."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anomaly.persistence import Persistence
from anomaly.settings import PersistenceSettings

QUIET, LOUD, MISSING = 0.5, 2.0, np.nan


def firing(scores, *, keep_firing=0.0, anomalous=3, of=5, normal=2):
    """Return whether a single series fires after each of its scores, 10 s apart."""
    settings = PersistenceSettings(
        anomalous=anomalous, of=of, normal=normal, keep_firing=keep_firing
    )
    one = Persistence(settings, step_seconds=10.0)
    one.resize(1)
    turns = [one.advance(10.0 * at, np.array([score])) for at, score in enumerate(scores)]
    return turns, [bool(turn.firing[0]) for turn in turns]


def test_three_anomalous_samples_of_five_begin_an_episode():
    _, fires = firing([LOUD, QUIET, LOUD, QUIET, LOUD])
    assert fires == [False, False, False, False, True]


def test_three_anomalous_samples_too_far_apart_do_not():
    _, fires = firing([LOUD, QUIET, QUIET, LOUD, QUIET, QUIET, LOUD])
    assert not any(fires)


def test_an_episode_starts_at_its_first_anomalous_sample():
    turns, _ = firing([QUIET, LOUD, QUIET, LOUD, LOUD])
    assert turns[4].began[0]
    assert turns[4].onset_seconds[0] == 10.0


def test_a_clean_stretch_ends_it_and_a_shorter_one_does_not():
    turns, fires = firing([LOUD, LOUD, LOUD, QUIET, LOUD, QUIET, QUIET, QUIET])
    assert fires == [False, False, True, True, True, True, False, False]
    assert [bool(turn.ended[0]) for turn in turns] == [False] * 6 + [True, False]


def test_it_keeps_firing_for_as_long_as_told():
    _, fires = firing([LOUD] * 3 + [QUIET] * 7, keep_firing=60.0)
    assert fires == [False, False] + [True] * 6 + [False, False]


def test_alternating_samples_do_not_flap():
    turns, _ = firing([LOUD, QUIET] * 20)
    assert sum(bool(turn.began[0]) for turn in turns) == 1
    assert not any(turn.ended[0] for turn in turns)


def test_missing_samples_are_evidence_of_nothing():
    _, fires = firing([LOUD, LOUD, MISSING, MISSING, LOUD] + [MISSING] * 50 + [QUIET, QUIET])
    assert fires == [False] * 4 + [True] * 52 + [False]


def test_a_forgotten_slot_is_quiet_again():
    one = Persistence(PersistenceSettings(anomalous=1, of=1), step_seconds=10.0)
    one.resize(2)
    one.advance(0.0, np.array([LOUD, LOUD]))
    one.forget(np.array([0]))
    assert list(one.advance(10.0, np.array([MISSING, MISSING])).firing) == [False, True]


@given(st.lists(st.sampled_from([QUIET, LOUD, MISSING]), max_size=60))
def test_it_fires_exactly_between_a_beginning_and_an_end(scores):
    turns, fires = firing(scores)
    expected = False
    for turn, fired in zip(turns, fires, strict=True):
        assert not (turn.began[0] and expected)
        assert not (turn.ended[0] and not expected)
        expected = (expected or bool(turn.began[0])) and not turn.ended[0]
        assert fired == expected
