"""One demo stack, started by the README's own command, shared by every test of this folder."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.stack.receiver import Receiver
from tests.waiting import wait_until
from watchkeeper.gameday.running import processes_on
from watchkeeper.supervisor.client import part_urls
from watchkeeper.supervisor.status import State

PROJECT = Path(__file__).resolve().parents[2]
PORT_OFFSET = 10_000
"""Away from a stack the developer may be running."""


def clean_environment():
    """Return the environment a user's shell would have: nothing of an outer make or stack."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAKE", "MFLAGS", "WATCHKEEPER_", "TASKBOARD_"))
    }


class RunningStack:
    """A stack started with make, in a directory of its own."""

    def __init__(self, target, data_dir, port_offset=PORT_OFFSET, environment=None):
        self.data_dir = data_dir
        self.log = data_dir.parent / f"{target}.log"
        arguments = f"ARGS=--data-dir {data_dir} --port-offset {port_offset}"
        with self.log.open("ab") as output:
            self.make = subprocess.Popen(
                ["make", target, arguments], cwd=PROJECT, stdout=output, stderr=output,
                stdin=subprocess.DEVNULL, start_new_session=True,
                env={**clean_environment(), **(environment or {})},
            )  # fmt: skip

    def processes(self):
        assert self.make.poll() is None, self.log.read_text()
        return processes_on(self.data_dir)

    def wait_ready(self, timeout_seconds=120):
        def all_ready():
            found = self.processes()
            return found and all(process.state is State.READY for process in found)

        wait_until(all_ready, timeout_seconds=timeout_seconds, what=f"{self.log} all ready")
        return self

    def url(self, part):
        return part_urls(self.processes())[f"WATCHKEEPER_{part.upper()}_URL"]

    def interrupt(self):
        """Press Ctrl-C: the whole foreground process group gets the signal."""
        os.killpg(self.make.pid, signal.SIGINT)

    def stop(self):
        if self.make.poll() is None:
            self.interrupt()
        return self.make.wait(60)

    def log_entries(self, *levels):
        """Return the JSON lines of our services' logs with one of ``levels``."""
        found = []
        for path in sorted((self.data_dir / "logs").glob("*.log")):
            for line in path.read_text(errors="replace").splitlines():
                entry = _entry(line)
                if entry is not None and entry.get("level") in levels:
                    found.append((path.name, entry))
        return found


def _entry(line):
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return None
    return entry if isinstance(entry, dict) else None


@pytest.fixture(scope="session")
def receiver():
    """Where the demo sends its messages."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()


@pytest.fixture(scope="session", autouse=True)
def started_demo(tmp_path_factory, receiver):
    """Start the demo before the first test: its detectors warm up while others run."""
    data_dir = tmp_path_factory.mktemp("demo") / "var"
    stack = RunningStack("demo", data_dir, environment=receiver.environment)
    try:
        yield stack
    finally:
        stack.stop()


@pytest.fixture(scope="session")
def demo(started_demo):
    return started_demo.wait_ready()
