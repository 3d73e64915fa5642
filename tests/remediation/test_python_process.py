"""Looks into a real instrumented process, and a logger that says more for a while."""

import logging

import pytest

from remediation.actuators.heap_snapshot import HeapSnapshot
from remediation.actuators.set_log_level import SetLogLevel
from remediation.targets.python_process import LoggerTarget, PythonTarget
from watchkeeper.errors import UpstreamError
from watchkeeper.instrument import Instrumentation, PageServer

TOKEN = "a token that nobody could guess"


class Basket:
    """What there is most of."""

    def __init__(self, all_baskets):
        self.all_baskets = all_baskets


@pytest.fixture
def pages(monkeypatch):
    monkeypatch.setenv("CONTROL_TOKEN", TOKEN)
    server = PageServer(Instrumentation("shop").pages(control_token=TOKEN))
    yield {"port": server.port, "token": {"env": "CONTROL_TOKEN"}}
    server.close()


@pytest.fixture
def logger():
    logger = logging.getLogger("shop.checkout")
    logger.setLevel(logging.WARNING)
    yield logger
    logger.setLevel(logging.NOTSET)


def set_log_level(pages, **changes):
    return SetLogLevel("shop", LoggerTarget(**pages, logger="shop.checkout", **changes), {})


def test_a_snapshot_tells_what_fills_the_memory_and_how_much(pages):
    hoard = []
    hoard.extend(Basket(hoard) for _ in range(30_000))
    done = HeapSnapshot("shop", PythonTarget(**pages), {}).perform()
    [row] = [row for row in done.detail["types"] if row["type"].endswith(".Basket")]
    assert row["count"] == 30_000
    assert f"{done.detail['objects']} objects" in done.summary


def test_a_logger_says_more_and_is_put_back(pages, logger):
    actuator = set_log_level(pages)
    state = actuator.state(None)
    actuator.perform()
    assert logger.level == logging.DEBUG
    assert actuator.revert(state).summary == "put logger shop.checkout of shop back to WARNING"
    assert logger.level == logging.WARNING


def test_prolonging_it_keeps_the_level_from_before(pages, logger):
    actuator = set_log_level(pages)
    first = actuator.state(None)
    actuator.perform()
    assert actuator.state(first) == {"before": "WARNING", "set": "DEBUG"}


def test_a_level_somebody_else_has_set_meanwhile_is_left_alone(pages, logger):
    actuator = set_log_level(pages)
    state = actuator.state(None)
    actuator.perform()
    logger.setLevel(logging.ERROR)
    assert "left logger shop.checkout" in actuator.revert(state).summary
    assert logger.level == logging.ERROR


def test_a_preview_sets_nothing(pages, logger):
    assert set_log_level(pages).preview().detail["level"] == "WARNING"
    assert logger.level == logging.WARNING


def test_a_logger_that_is_not_there_is_a_failure_that_names_it(pages):
    actuator = SetLogLevel("shop", LoggerTarget(**pages, logger="shop.chekout"), {})
    with pytest.raises(UpstreamError, match="none called"):
        actuator.perform()
