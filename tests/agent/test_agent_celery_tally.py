"""Events add up within bounds, and what they leave out is found out."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.celery.gap import EventGap
from agent.celery.messages import events_in
from agent.celery.tally import FORGOTTEN_SECONDS, MOST_NAMES, MOST_WORKERS, OTHER, Tally
from agent.text import Renderer, TextFormat, text_of
from tests.agent.probes import Page


def written(families):
    return Page(text_of(Renderer().render(list(families)), TextFormat.PROMETHEUS))


def test_ten_thousand_short_lived_workers_leave_the_number_of_series_as_it_was():
    tally, series = Tally("work"), []
    for number in range(10_000):
        now = float(number)
        host = f"pod-{number}@cluster"
        life = [
            {"type": "worker-online", "hostname": host},
            {"type": "worker-heartbeat", "hostname": host, "active": 1},
            {"type": "task-received", "uuid": str(number), "name": "shop.pack", "hostname": host},
            {"type": "task-started", "uuid": str(number), "hostname": host},
            {"type": "task-succeeded", "uuid": str(number), "hostname": host, "runtime": 0.2},
            {"type": "worker-offline", "hostname": host},
        ]
        for event in life:
            tally.add(event, now)
        if number % 1000 == 999:
            series.append(sum(len(family.samples) for family in tally.families(now)))
    assert max(series) == min(series)
    assert max(series) < 2 * MOST_WORKERS + 50
    page = written(tally.families(10_000.0 + FORGOTTEN_SECONDS))
    assert page.value("celery_task_succeeded_total", name="shop.pack") == 10_000
    assert page.labels("celery_worker_up") == []


def test_names_without_end_share_one_series():
    tally = Tally("work")
    for number in range(2 * MOST_NAMES):
        tally.add({"type": "task-sent", "uuid": str(number), "name": f"task{number}"}, 0.0)
    page = written(tally.families(0.0))
    assert len(page.labels("celery_task_sent_total")) == MOST_NAMES + 1
    assert page.value("celery_task_sent_total", name=OTHER) == MOST_NAMES


def test_a_worker_that_falls_silent_is_down_and_then_forgotten():
    tally = Tally("work")
    tally.add({"type": "worker-heartbeat", "hostname": "a", "active": 2}, 0.0)
    assert written(tally.families(10.0)).value("celery_worker_tasks_active", hostname="a") == 2
    silent = written(tally.families(61.0))
    assert silent.value("celery_worker_up", hostname="a") == 0
    assert silent.value("celery_worker_tasks_active", hostname="a") == 0
    assert written(tally.families(301.0)).value("celery_worker_up", hostname="a") is None


@pytest.mark.parametrize("message", [b"", b"[]", b"{}", b'{"body": "1", "properties": {}}'])
def test_a_message_that_is_no_event_is_told_from_one(message):
    with pytest.raises(ValueError):  # noqa: PT011  # whatever json says
        list(events_in(message))


def test_a_message_nested_without_end_is_no_event():
    with pytest.raises(ValueError, match="no message of events"):
        list(events_in(b"[" * 200_000))


ODD = [
    {"type": ["task-sent"]},
    {"type": "worker-heartbeat", "hostname": "a", "active": [1]},
    {"type": "worker-heartbeat", "hostname": "a", "active": float("inf")},
    {"type": "worker-heartbeat", "hostname": "a", "active": -1},
    {"type": "worker-heartbeat", "hostname": {"a": 1}},
    {"type": "worker-heartbeat", "hostname": "a" * 10_000},
    {"type": "task-succeeded", "uuid": "1", "runtime": float("nan")},
    {"type": "task-succeeded", "uuid": "1", "runtime": 10**400},
    {"type": "task-succeeded", "uuid": "1", "runtime": "1"},
    {"type": "task-failed", "uuid": "1", "exception": 1},
    {"type": "task-sent", "uuid": 1},
    {"type": "task-sent", "uuid": "1", "name": "a" * 10_000},
]


@pytest.mark.parametrize("event", ODD)
def test_an_event_no_worker_would_send_is_refused_and_counts_nothing(event):
    tally = Tally("work")
    with pytest.raises(ValueError, match="no event of a worker"):
        tally.add(event, 0.0)
    assert not [sample for family in tally.families(0.0) for sample in family.samples]
    assert tally.last_told_at is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=3,
)
kinds = st.sampled_from(["worker-heartbeat", "task-sent", "task-succeeded", "task-failed"])
fields = st.sampled_from(["hostname", "active", "uuid", "runtime", "exception", "name", "queue"])


@given(kinds, st.dictionaries(fields, anything))
def test_whatever_is_published_what_is_told_stays_finite(kind, parts):
    tally = Tally("work")
    with contextlib.suppress(ValueError):
        tally.add({**parts, "type": kind}, 0.0)
    values = [value for family in tally.families(0.0) for _, value in family.samples]
    assert all(0 <= value < math.inf for value in values)


def test_several_events_in_one_message_are_all_read():
    body = json.dumps([{"type": "task-sent"}, {"type": "task-received"}])
    message = json.dumps({"body": body, "properties": {}}).encode()
    assert [event["type"] for event in events_in(message)] == ["task-sent", "task-received"]


moves = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=30)


@given(moves)
def test_there_is_no_gap_while_every_task_taken_is_told_of(steps):
    gap, depth, told = EventGap(), 0, 0
    gap.look({"work": depth}, 0)
    for arrived, taken in steps:
        taken = min(taken, depth + arrived)  # noqa: PLW2901  # no more than there are
        depth += arrived - taken
        told += taken
        assert gap.look({"work": depth}, told) == 0


@given(st.lists(st.integers(0, 20), max_size=30))
def test_without_events_every_task_that_left_is_in_the_gap(taken):
    gap, depth = EventGap(), 1000
    gap.look({"work": depth}, 0)
    for number in taken:
        depth -= number
        found = gap.look({"work": depth}, 0)
        assert found == 1000 - depth


def test_a_task_told_of_just_before_the_queue_is_seen_to_shrink_leaves_no_gap():
    gap = EventGap()
    gap.look({"work": 5}, 0)
    gap.look({"work": 5}, 1)
    assert gap.look({"work": 4}, 1) == 0


def test_a_surplus_of_events_does_not_hide_a_later_loss():
    gap = EventGap()
    gap.look({"work": 100}, 0)
    gap.look({"work": 100}, 50)  # as many tasks came as were taken
    gap.look({"work": 100}, 50)
    assert gap.look({"work": 80}, 50) == 20
