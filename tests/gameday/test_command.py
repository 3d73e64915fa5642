"""`watchkeeper gameday` and `fault` as a user runs them."""

import json
import random
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import psutil
import pytest
from click.testing import CliRunner

from tests.supervisor.stacks import RunningSupervisor, environment, server
from tests.waiting import wait_until
from watchkeeper.errors import Refused
from watchkeeper.gameday.cli import fault
from watchkeeper.supervisor.ports import is_taken
from watchkeeper.supervisor.stack import DEMO_CONFIG_DIR, Place, read


def free_offset(tmp_path):
    """Return an offset at which every port of the demo is free."""
    ports = [port for port, _ in read(Place(tmp_path, DEMO_CONFIG_DIR)).ports()]
    chance = random.SystemRandom()  # pytest-randomly seeds the ordinary one, the same in every run
    while True:
        offset = chance.randrange(2_000, 20_000)
        if not any(is_taken(port + offset) for port in ports):
            return offset


@contextmanager
def gameday(tmp_path, *arguments):
    command = [sys.executable, "-m", "watchkeeper", "gameday", "--data-dir", str(tmp_path / "var"),
               "--port-offset", str(free_offset(tmp_path)), *arguments]  # fmt: skip
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment(),
            start_new_session=True,
        )  # fmt: skip
    with ExitStack() as ending:
        ending.callback(process.wait, 60)
        ending.callback(process.terminate)
        yield process


@pytest.mark.live
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_day_ended_while_the_demo_starts_leaves_nothing_behind(tmp_path, number):
    report = tmp_path / "report.json"
    with gameday(tmp_path, "--json", str(report)) as process:
        own = psutil.Process(process.pid)
        wait_until(lambda: len(own.children(recursive=True)) > 3, what="the demo starts")
        started = own.children(recursive=True)
        process.send_signal(number)
        assert process.wait(60) == 2
        _, alive = psutil.wait_procs(started, timeout=10)
    assert alive == []
    assert "the game day was stopped" in (tmp_path / "output").read_text()
    assert json.loads(report.read_text()) == []


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_started(tmp_path):
    with gameday(tmp_path, "--json", str(tmp_path / "nowhere" / "report.json")) as process:
        assert process.wait(30) == 2
    assert "No such file or directory" in (tmp_path / "output").read_text()
    assert not (tmp_path / "var").exists()


def test_faults_of_the_demo_are_not_offered_where_it_does_not_run(tmp_path):
    with RunningSupervisor(tmp_path, web=server()).running():
        result = CliRunner().invoke(fault, ["list", "--data-dir", str(tmp_path)])
    assert isinstance(result.exception, Refused)
    assert "up --demo" in str(result.exception)


def test_faults_of_the_demo_are_listed_where_it_runs(tmp_path):
    with RunningSupervisor(tmp_path, taskboard=server()).running():
        result = CliRunner().invoke(fault, ["list", "--data-dir", str(tmp_path)])
    assert "dead-worker" in result.output
