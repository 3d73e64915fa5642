"""A worker does what there is to do, says what goes wrong, and outlives it."""

from __future__ import annotations

import threading

import pytest

from tests.waiting import wait_until
from watchkeeper.errors import StorageError
from watchkeeper.worker import Worker


@pytest.fixture
def employ():
    workers = []

    def make(step) -> Worker:
        worker = Worker("clerk", step)
        workers.append(worker)
        worker.start()
        return worker

    yield make
    for worker in workers:
        worker.stop(timeout_seconds=5)


def test_it_goes_on_while_there_is_work_and_begins_again_when_woken(employ):
    left, done = [1, 2, 3], []

    def step() -> bool:
        if left:
            done.append(left.pop())
        return bool(left)

    worker = employ(step)
    wait_until(lambda: done == [3, 2, 1], what="the work is done")
    left.append(4)
    worker.wake()
    wait_until(lambda: done[-1] == 4, what="the new work is done")


@pytest.mark.parametrize("error", [StorageError("disk full"), ZeroDivisionError("disk full")])
def test_a_failed_step_is_shown_and_tried_again(employ, error):
    healed = threading.Event()

    def step() -> bool:
        if not healed.is_set():
            raise error
        return False

    worker = employ(step)
    wait_until(lambda: "disk full" in (worker.trouble() or ""), what="the trouble shows")
    healed.set()
    worker.wake()
    wait_until(lambda: worker.trouble() is None, what="the trouble is over")


def test_a_worker_that_ended_says_so(employ):
    worker = employ(lambda: False)
    worker.stop(timeout_seconds=5)
    assert worker.trouble() == "clerk is not running"
