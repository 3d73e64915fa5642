"""Samples over a window of time, in which series come and go."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anomaly.panel import FEW_LABELS, Panel, SharedLabels, key_of


def keys(*names):
    return [(("name", name),) for name in names]


def filled(samples: int, window: int = 10, series: int = 2) -> Panel:
    """Return a panel in which sample ``i`` of every series is ``i`` at time ``i``."""
    panel = Panel(window, maximum_series=100)
    panel.admit(keys(*(str(at) for at in range(series))))
    for at in range(samples):
        panel.append(float(at), np.full(panel.slots, float(at)))
    return panel


@given(samples=st.integers(1, 200), window=st.integers(1, 30), unsettled=st.integers(0, 5))
def test_the_window_is_the_newest_samples_in_order(samples, window, unsettled):
    panel = filled(samples, window)
    expected = np.arange(samples)[-window:]
    expected = expected[: max(0, len(expected) - unsettled)]
    np.testing.assert_array_equal(panel.learnable(unsettled)[0], expected)


def test_what_is_excluded_is_not_learnable_but_is_still_recent():
    panel = filled(8)
    panel.exclude(2, np.array([True] + [False] * (panel.slots - 1)))
    np.testing.assert_array_equal(panel.learnable(0)[0, -3:], [np.nan, 6, 7])
    np.testing.assert_array_equal(panel.learnable(0)[1, -3:], [5, 6, 7])
    np.testing.assert_array_equal(panel.recent(3)[0], [5, 6, 7])


def test_an_exclusion_moves_with_its_sample():
    panel = filled(5, window=10)
    panel.exclude(0, np.ones(panel.slots, dtype=np.bool_))
    for at in range(5, 60):
        panel.append(float(at), np.full(panel.slots, float(at)))
        found = panel.learnable(0)[0]
        assert (4.0 in found) is False
        assert np.isnan(found).sum() == (1 if at < 14 else 0)


def test_a_series_keeps_its_slot_whatever_the_order_of_the_answer():
    panel = Panel(10, maximum_series=100)
    first, _ = panel.admit(keys("a", "b"))
    again, _ = panel.admit(keys("c", "b", "a"))
    assert list(again[1:]) == list(reversed(first))


def test_samples_survive_the_arrival_of_many_series():
    panel = Panel(10, maximum_series=1_000)
    panel.admit(keys("first"))
    values = np.full(panel.slots, np.nan)
    values[0] = 7.0
    panel.append(0.0, values)
    panel.admit(keys(*(str(at) for at in range(500))))
    assert panel.learnable(0)[0, 0] == 7.0
    assert np.isnan(panel.learnable(0)[1:]).all()


def test_more_series_than_allowed_are_refused_and_the_ones_there_stay():
    panel = Panel(10, maximum_series=2)
    panel.admit(keys("a", "b"))
    slots, refused = panel.admit(keys("c", "a", "d", "b"))
    assert refused == 2
    assert list(slots) == [-1, 0, -1, 1]


def test_a_forgotten_series_leaves_an_empty_slot_for_the_next():
    panel = Panel(10, maximum_series=1)
    panel.admit(keys("old"))
    panel.append(0.0, np.array([7.0]))
    panel.forget(keys("old"))
    slots, refused = panel.admit(keys("new"))
    assert refused == 0
    assert np.isnan(panel.learnable(0)[slots[0]]).all()


@given(st.lists(st.sampled_from("abcdefgh"), max_size=60))
def test_ten_times_the_churn_takes_no_more_room(names):
    panel = Panel(5, maximum_series=8)
    for name in names:
        if keys(name)[0] in panel.keys:
            panel.forget(keys(name))
        else:
            panel.admit(keys(name))
    assert panel.slots <= 8
    assert len(set(panel.keys.values())) == len(panel.keys)


def test_a_series_is_known_by_its_labels_whatever_their_order_or_metric_name():
    assert key_of({"b": "2", "__name__": "up", "a": "1"}) == key_of({"a": "1", "b": "2"})


def test_series_share_their_common_labels():
    panel = Panel(5, maximum_series=2)
    panel.admit([key_of({"job": "agent", "unit": str(at)}) for at in range(2)])
    first, second = panel.keys
    assert first[0] is second[0]
    assert first[1] != second[1]


def test_labels_that_no_series_has_any_more_are_forgotten():
    labels = SharedLabels()
    labels.shared((("job", "kept"),))
    for at in range(10 * FEW_LABELS):
        labels.shared((("pod", str(at)),))
        labels.forget_unused([(("job", "kept"),)])
    assert len(labels) <= FEW_LABELS


def test_only_the_series_asked_for_are_copied_without_what_is_theirs_to_forget():
    panel = filled(8, series=3)
    first, second = panel.keys[keys("0")[0]], panel.keys[keys("1")[0]]
    panel.exclude(0, np.arange(panel.slots) == second)
    found = panel.learnable(0, np.array([second, first]))
    np.testing.assert_array_equal(found[:, -2:], [[6, np.nan], [6, 7]])
