"""Sources are asked side by side; one that hangs costs only its own part."""

import threading

import pytest

from dashboards.console.watch import Watch
from tests.waiting import wait_until
from watchkeeper.errors import UpstreamError


@pytest.fixture
def started():
    watches = []

    def start(sources):
        watches.append(Watch(sources, refresh_seconds=lambda: 0.02))
        watches[-1].start()
        return watches[-1]

    yield start
    for watch in watches:
        watch.stop()


def one_after_another(*answers):
    waiting = list(answers)

    def ask():
        return waiting.pop(0)()

    return ask


def failing():
    raise UpstreamError("it is down")


def test_a_source_that_hangs_for_ever_does_not_hold_up_the_others(started):
    release = threading.Event()
    watch = started({"hung": release.wait, "fine": lambda: 1})
    wait_until(lambda: watch.readings()["fine"].is_current, what="the other source's answer")
    assert watch.unasked() == ["hung"]
    release.set()


def test_the_last_good_answer_stays_but_is_not_current():
    watch = Watch({"one": one_after_another(lambda: "good", failing)}, refresh_seconds=lambda: 1.0)
    watch.ask_all()
    watch.ask_all()
    reading = watch.readings()["one"]
    assert (reading.value, reading.problem, reading.is_current) == ("good", "it is down", False)


def test_a_source_that_recovers_is_current_again():
    watch = Watch({"one": one_after_another(failing, lambda: "good")}, refresh_seconds=lambda: 1.0)
    watch.ask_all()
    watch.ask_all()
    assert watch.readings()["one"].is_current


def test_the_revision_grows_only_when_something_new_is_said():
    values = [1, 1, 2]
    watch = Watch({"one": lambda: values.pop(0)}, refresh_seconds=lambda: 1.0)
    revisions = []
    while values:
        watch.ask_all()
        revisions.append(watch.revision)
    assert revisions == [1, 1, 2]


def test_waiting_for_a_change_ends_when_there_is_one(started):
    gate = threading.Event()
    watch = started({"one": gate.is_set})
    wait_until(lambda: watch.revision == 1, what="the first answer")
    gate.set()
    assert watch.wait_for_change(1, timeout_seconds=20) == 2


def test_a_mistake_of_ours_is_logged_shown_and_does_not_end_the_asking(started, caplog):
    good = threading.Event()
    watch = started({"one": lambda: "good" if good.is_set() else 1 / 0})
    wait_until(lambda: watch.readings()["one"].problem, what="the problem to be shown")
    assert "ZeroDivisionError" in watch.readings()["one"].problem
    assert "ZeroDivisionError" in caplog.text
    good.set()
    wait_until(lambda: watch.readings()["one"].is_current, what="the next good answer")
