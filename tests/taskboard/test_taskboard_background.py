import itertools

import psycopg
import pytest

from taskboard.background import BackgroundLoop, stop_all
from taskboard.faults import LONGEST_SECONDS, RequestFault
from taskboard.load import ROUND
from tests.waiting import wait_until


@pytest.fixture
def run():
    """Starts loops; stops them when the test ends."""
    loops = []

    def start(step):
        loop = BackgroundLoop("a loop", step)
        loops.append(loop)
        loop.start()
        return loop

    yield start
    stop_all(loops)


def test_a_loop_waits_for_a_server_that_is_away_and_says_so(run):
    calls = itertools.count()

    def step():
        if next(calls) == 0:
            raise psycopg.OperationalError("no answer")

    loop = run(step)
    wait_until(lambda: loop.problem() == "OperationalError: no answer", what="the reason")
    wait_until(lambda: loop.problem() is None, what="going on")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_ends_a_loop_and_that_shows(run):
    def step():
        raise ZeroDivisionError

    loop = run(step)
    wait_until(lambda: loop.problem() == "not running", what="the end of the loop")


def test_a_fault_that_nobody_clears_ends_by_itself():
    now = [1000.0]
    fault = RequestFault("/board", lambda: None, monotonic_seconds=lambda: now[0])
    assert not fault.is_on()
    fault.start()
    now[0] += LONGEST_SECONDS - 1
    assert fault.is_on()
    now[0] += 1
    assert not fault.is_on()


def test_the_load_finishes_as_many_tasks_as_it_begins():
    assert ROUND.count("create") == ROUND.count("complete")
