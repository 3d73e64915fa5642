"""A buffer that cannot be used costs the pushing only, and that no longer than it lasts."""

import json
import logging

import pytest

from agent.otlp.receiver import Receiver
from agent.pushing import Pushing
from tests.agent.otlp_receiver import OtlpReceiver
from tests.agent.running_agent import RunningAgent
from tests.waiting import wait_until

CONFIG = """\
interval: 200ms
discover: false
host: {{collectors: [{collector}]}}
otlp: {{url: "{url}", interval: 1s, directory: {directory}}}
"""
PUSH_OK = "watchkeeper_otlp_last_push_successful"


@pytest.fixture
def receiver():
    receiver = OtlpReceiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def unusable(tmp_path):
    """A buffer with a leftover that cannot be put away, not by root either."""
    leftover = tmp_path / "unusable" / "0.part"
    leftover.mkdir(parents=True)
    return leftover


def config_of(receiver, directory, collector):
    return CONFIG.format(url=receiver.url, directory=directory, collector=collector)


def state(running):
    """Whether load, memory and the last push did well, and what /readyz says is wrong."""
    page, readiness = running.page(), json.loads(running.get("/readyz").read())
    load, memory = (
        page.value("watchkeeper_collector_success", collector=name) for name in ("load", "memory")
    )
    return load, memory, page.value(PUSH_OK), set(readiness["reasons"])


def test_an_agent_whose_buffer_cannot_be_used_watches_and_pushes_as_soon_as_it_can(
    tmp_path, receiver, unusable
):
    config = tmp_path / "agent.yml"
    config.write_text(config_of(receiver, unusable.parent, "load"))
    running = RunningAgent(config)
    try:
        wait_until(lambda: state(running) == (1, None, 0, {"otlp"}), what="only pushing failing")
        reasons = json.loads(running.get("/readyz").read())["reasons"]
        assert str(unusable) in reasons["otlp"]
        unusable.rmdir()
        wait_until(lambda: state(running) == (1, None, 1, set()), what="all being well")
        wait_until(lambda: receiver.taken, what="the first message")
    finally:
        running.stop()


def test_what_else_a_changed_file_says_is_taken_up_though_its_buffer_cannot_be_used(
    tmp_path, receiver, unusable
):
    config = tmp_path / "agent.yml"
    config.write_text(config_of(receiver, tmp_path / "buffer", "load"))
    running = RunningAgent(config)
    try:
        wait_until(lambda: state(running) == (1, None, 1, set()), what="all being well")
        config.write_text(config_of(receiver, unusable.parent, "memory"))
        wait_until(lambda: state(running) == (None, 1, 0, {"otlp"}), what="the file in force")
    finally:
        running.stop()


def test_it_is_logged_once_with_what_and_where(unusable, caplog):
    directory = unusable.parent
    nowhere = Receiver("http://127.0.0.1:1/", 60.0, {}, {}, str(directory), buffer_bytes=1 << 20)
    pushing = Pushing(list)
    with caplog.at_level(logging.INFO):
        pushing.push_to(nowhere)
        pushing.look_after()
        pushing.push_to(nowhere)
        (record,) = caplog.records
        assert record.levelno == logging.ERROR
        assert record.detail == pushing.problem()
        assert record.detail.startswith(f"the buffer {directory} cannot be used: ")
        unusable.rmdir()
        pushing.look_after()
    pushing.push_to(None)
    assert pushing.problem() is None
    assert [one.getMessage() for one in caplog.records] == ["nothing is pushed", "pushing begins"]
