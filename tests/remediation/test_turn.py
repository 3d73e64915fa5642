"""When a call's turn comes, what held when it was taken is asked again."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram

from remediation.actuators import Done
from remediation.crew import Crew
from remediation.ledger import State
from remediation.returns import Returns
from remediation.settings import Actions
from tests.remediation.test_ledger import NOW, call, open_ledger
from tests.waiting import wait_until
from watchkeeper.clock import ManualClock
from watchkeeper.storage import open_database, sqlite_url


class Crowd:
    """A crew whose file allows nothing, and the ledger it works from."""

    def __init__(self, directory) -> None:
        registry = CollectorRegistry()
        self.clock = ManualClock(NOW)
        self.ledger = open_ledger(directory)
        self.crew = Crew(
            self.ledger,
            Returns(open_database(sqlite_url(directory / "ledger.sqlite"))),
            lambda: SimpleNamespace(actions=Actions()),
            clock=self.clock,
            calls=Counter("calls", "x", ["action", "state"], registry=registry),
            seconds=Histogram("seconds", "x", ["action"], registry=registry),
        )

    def ended(self, asked):
        def entry():
            found = self.ledger.find(asked.idempotency_key)
            return found if found.finished_at else None

        return wait_until(entry, what=f"{asked.idempotency_key} has ended")


@pytest.fixture
def crowd(tmp_path):
    return Crowd(tmp_path)


class Deed:
    """Does it, and remembers for whom."""

    done: list[str]

    def __init__(self) -> None:
        self.done = []

    def perform(self, _tell) -> Done:
        self.done.append("done")
        return Done("done")

    def preview(self) -> Done:
        return Done("would do it")


def test_a_call_that_expired_while_it_waited_for_its_turn_is_not_begun(crowd):
    deed = Deed()
    crowd.crew._actuator = lambda _asked: deed
    late, fresh = call("late"), call("fresh", expires_at=NOW + timedelta(hours=1))
    taken = [crowd.ledger.take(one, now=NOW)[0] for one in (late, fresh)]
    crowd.clock.advance(300)
    for entry in taken:
        crowd.crew.take_on(entry)
    assert crowd.ended(fresh).state is State.SUCCEEDED
    found = crowd.ended(late)
    assert (found.state, found.error) == (
        State.FAILED, "expired while it waited for its turn",
    )  # fmt: skip
    assert deed.done == ["done"]


def test_a_target_taken_out_of_the_file_since_is_left_alone(crowd):
    asked = call("a", action="clear-cache", target="shop")
    crowd.crew.take_on(crowd.ledger.take(asked, now=NOW)[0])
    found = crowd.ended(asked)
    assert (found.state, found.error) == (
        State.FAILED, "clear-cache of shop is no longer allowed",
    )  # fmt: skip


def test_a_dry_run_only_looks_whatever_the_action(crowd):
    deed = Deed()
    crowd.crew._actuator = lambda _asked: deed
    asked = call("a", dry_run=True)
    crowd.crew.take_on(crowd.ledger.take(asked, now=NOW)[0])
    assert crowd.ended(asked).summary == "would do it"
    assert deed.done == []


def test_a_job_that_breaks_leaves_the_next_its_turn(crowd):
    deed = Deed()
    crowd.crew._actuator = lambda _asked: deed
    asked = call("a")
    entry = crowd.ledger.take(asked, now=NOW)[0]
    crowd.crew._lane(asked.target).put(lambda: int("none"))
    crowd.crew.take_on(entry)
    assert crowd.ended(asked).state is State.SUCCEEDED
