"""The rules by which a task changes, whatever is asked of it in whatever order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskboard import task as rules
from taskboard.agents import Agent
from taskboard.search import cache_key
from taskboard.settings import read_settings
from taskboard.task import Conflict, State, Task

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FRESH = rules.new_task(UUID(int=1), "mend the poster", Agent.ALPHA, NOON)

REQUESTS = {
    "hand over": rules.hand_over,
    "accept": rules.accept,
    "complete": rules.complete,
    "estimate": lambda task, by, now: rules.estimate(task, by, 30, now),
}

requests = st.lists(
    st.tuples(st.sampled_from(sorted(REQUESTS)), st.sampled_from(list(Agent))), max_size=12
)


@given(requests=requests)
def test_a_task_is_only_ever_changed_by_its_owner_and_each_change_is_a_new_version(requests):
    task, now = FRESH, NOON
    for name, by in requests:
        now += timedelta(seconds=1)
        try:
            changed = REQUESTS[name](task, by, now)
        except Conflict:
            continue
        assert task.owner == by
        assert task.state != State.DONE
        assert (changed.version, changed.changed_at) == (task.version + 1, now)
        assert (changed.id, changed.title, changed.created_at) == (
            task.id,
            task.title,
            task.created_at,
        )
        task = changed


@given(requests=requests)
def test_a_task_survives_the_journey_through_the_stream(requests):
    task = FRESH
    for name, by in requests:
        try:
            task = REQUESTS[name](task, by, NOON)
        except Conflict:
            continue
        assert Task.from_record(task.to_record()) == task


def test_a_task_handed_over_belongs_to_the_partner_but_is_open_only_once_accepted():
    handed = rules.hand_over(FRESH, Agent.ALPHA, NOON)
    assert (handed.owner, handed.state, handed.handed_over_at) == ("beta", "handed-over", NOON)
    with pytest.raises(Conflict, match="handed-over at beta, not open at beta"):
        rules.complete(handed, Agent.BETA, NOON)
    assert rules.accept(handed, Agent.BETA, NOON).state == State.OPEN


def test_a_done_task_stays_done():
    done = replace(FRESH, state=State.DONE.value)
    for ask in REQUESTS.values():
        with pytest.raises(Conflict):
            ask(done, Agent.ALPHA, NOON)


@given(first=st.text(max_size=300), second=st.text(max_size=300))
def test_a_search_has_a_key_of_bounded_length_that_ignores_case(first, second):
    key = cache_key("alpha", first)
    assert len(key) < 80
    assert key.startswith("taskboard:cache:")
    assert (key == cache_key("alpha", second)) == (first.lower() == second.lower())
    assert key != cache_key("beta", first)


def test_settings_come_from_the_environment_and_have_defaults_for_one_machine():
    settings = read_settings({})
    assert settings.database_url == "postgresql://taskboard@127.0.0.1:8313/taskboard"
    assert settings.redis_url == "redis://127.0.0.1:8314/0"
    assert not settings.faults_allowed
    assert read_settings({"TASKBOARD_FAULTS": "1"}).faults_allowed
