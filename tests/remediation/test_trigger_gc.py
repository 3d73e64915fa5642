"""Garbage collected in a real process, through the pages of watchkeeper.instrument."""

import gc
import weakref

import pytest

from remediation.actuators.trigger_gc import TriggerGc
from remediation.targets.python_process import PythonTarget
from tests.ports import free_ports
from watchkeeper.errors import NeverSent, Reason, UpstreamError
from watchkeeper.instrument import Instrumentation, PageServer

TOKEN = "a token that nobody could guess"


class Knot:
    def __init__(self):
        self.itself = self


@pytest.fixture
def pages():
    server = PageServer(Instrumentation("shop").pages(control_token=TOKEN))
    yield server
    server.close()


@pytest.fixture
def garbage():
    """Something only a collection frees, while no other collection comes before ours."""
    gc.disable()
    yield weakref.ref(Knot())
    gc.enable()


@pytest.fixture
def actuator(monkeypatch):
    def make(port, token=TOKEN):
        monkeypatch.setenv("CONTROL_TOKEN", token)
        return TriggerGc("shop", PythonTarget(port=port, token={"env": "CONTROL_TOKEN"}), {})

    return make


def test_garbage_is_collected(actuator, pages, garbage):
    assert garbage() is not None
    done = actuator(pages.port).perform()
    assert garbage() is None
    assert done.detail["unreachable"] >= 1
    assert done.summary.endswith("unreachable object(s) in shop")


def test_a_preview_collects_nothing(actuator, pages, garbage):
    assert actuator(pages.port).preview().detail["tracked"] > 0
    assert garbage() is not None


def test_another_token_is_refused_and_not_shown(actuator, pages, garbage):
    with pytest.raises(UpstreamError, match="401") as refused:
        actuator(pages.port, "another token, just as long").perform()
    assert refused.value.reason is Reason.AUTHENTICATION
    assert "another token" not in str(refused.value)
    assert garbage() is not None


def test_an_application_that_has_not_opened_the_door_is_a_failure(actuator):
    server = PageServer(Instrumentation("shop").pages())
    try:
        with pytest.raises(UpstreamError, match="answered 404"):
            actuator(server.port).perform()
    finally:
        server.close()


def test_a_process_that_is_away_was_never_asked(actuator):
    with pytest.raises(NeverSent):
        actuator(free_ports(1)).perform()
