"""Two schedulers on one PostgreSQL that disagree about the time by more than any lease."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest

from alerting import actions
from tests.alerting import postgres
from tests.alerting.desk import START, Desk
from watchkeeper.clock import ManualClock
from watchkeeper.storage import writing

pytestmark = pytest.mark.live

AHEAD = timedelta(minutes=10)
LIMITS = {"    mode: auto\n": "    mode: auto\n    budget: {actions: 100, window: 1h}\n"}
"""Of the rule; that of all rules, ten an hour, leaves room for what these tests do."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with postgres.running(tmp_path_factory.mktemp("postgres")) as port:
        yield port


@pytest.fixture
def schedulers(tmp_path, server, endpoint, prometheus, slack):
    """One that goes by the true time, and one that is ahead; neither asks the database for it."""
    url, desks = postgres.new_database(server), []
    for name, now in (("true", START), ("ahead", START + AHEAD)):
        (tmp_path / name).mkdir()
        desks.append(
            Desk(
                tmp_path / name, endpoint_url=endpoint.url, prometheus_url=prometheus.url,
                clock=ManualClock(now), database_url=url, deduplicates=False, rules=LIMITS,
            )
        )  # fmt: skip
    yield desks
    for desk in desks:
        desk.close()


def calls(endpoint) -> dict[str, int]:
    return dict(Counter(call.json["data"]["target"] for call in endpoint.calls))


def test_two_schedulers_with_skewed_clocks_dispatch_once(schedulers, endpoint):
    targets = [f"worker-{number}" for number in range(4)]
    for number, target in enumerate(targets):
        schedulers[number % 2].fire("WorkerDead", process=target)
    threads = [threading.Thread(target=desk.act) for desk in schedulers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Of an intent that the one behind wrote, the one ahead says that it could not be sent in time;
    # it is decided on anew.
    for desk in schedulers * 10:
        desk.clock.advance(5)
        desk.act()
    assert calls(endpoint) == dict.fromkeys(targets, 1)


@pytest.mark.parametrize("steps", [0, 1])
def test_what_one_was_about_to_do_and_the_other_has_taken_over_is_done_once(
    schedulers, endpoint, steps
):
    true, ahead = schedulers
    true.fire()
    for _ in range(steps):
        assert true.remediator.step()
    with writing(true.store.engine) as connection:
        held = actions.take_due(connection, now=true.clock.now())
    ahead.act()  # by its clock the lease of the other has long run out
    true.remediator._steps[held.state](held)
    for desk in (*schedulers, *schedulers):
        desk.clock.advance(5)
        desk.act()
    assert calls(endpoint) == {"worker": 1}
