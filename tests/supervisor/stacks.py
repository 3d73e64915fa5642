"""Small stacks for tests: real processes, free ports, always ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import yaml

from tests.ports import free_ports
from tests.waiting import wait_until
from watchkeeper.supervisor import control
from watchkeeper.supervisor.client import SupervisorClient
from watchkeeper.supervisor.discovery import Discovery
from watchkeeper.supervisor.operations import Operations
from watchkeeper.supervisor.run_directory import claimed
from watchkeeper.supervisor.settings import ProcessSettings, StackSettings
from watchkeeper.supervisor.stack import Place, Stack
from watchkeeper.supervisor.status import State
from watchkeeper.supervisor.supervisor import Supervisor

SHIPPED = ("prometheus", "agent", "alerting", "anomaly", "remediation", "console")

SERVER = str(Path(__file__).with_name("server.py"))


def server(*arguments, port=None, **settings):
    """Return the declaration of a process that serves /readyz on a free port."""
    most = settings.get("maximum_instances", 1)
    return {
        "command": ["{python}", "-I", "-S", SERVER, "{port}", *arguments],
        "port": port or free_ports(most),
        **settings,
    }


class RunningSupervisor:
    """A supervisor with its control socket, on a thread of this process."""

    def __init__(self, data_dir, *, config_dir=None, **processes):
        self.data_dir = data_dir
        declared = StackSettings(processes={k: ProcessSettings(**v) for k, v in processes.items()})
        self.stack = Stack(declared.processes, Place(data_dir, config_dir))
        self.changes, self.troubles, self._crashes = [], [], []
        discovery = Discovery(data_dir / "no-source", data_dir / "prometheus", self.stack)
        self.supervisor = Supervisor(
            self.stack,
            discovery,
            on_change=self.changes.append,
            on_trouble=self.troubles.append,
        )
        self.operations = Operations(self.supervisor)
        self.client = SupervisorClient(data_dir)
        self._thread = threading.Thread(target=self._run, name="supervisor")

    def _run(self):
        try:
            self.supervisor.run()
        except ZeroDivisionError as crash:
            self._crashes.append(crash)

    def break_with(self, bug):
        """Let ``bug`` happen on the supervisor's own thread; raise what then came out of it."""
        self.supervisor._requests.put(bug)
        self._thread.join(30)
        raise self._crashes[0]

    @contextmanager
    def running(self):
        with ExitStack() as inside:
            socket_path = inside.enter_context(claimed(self.data_dir))
            inside.enter_context(control.serving(self.operations, socket_path))
            self._thread.start()
            inside.callback(self.stop)
            yield self

    def stop(self):
        self.supervisor.stop()
        self._thread.join(30)
        assert not self._thread.is_alive(), "the supervisor did not stop"

    def one(self, name, instance=1):
        found = [s for s in self.supervisor.statuses() if (s.name, s.instance) == (name, instance)]
        return found[0] if found else None

    def wait(self, name, state=State.READY, *, instance=1, until=bool):
        def seen():
            status = self.one(name, instance)
            return status if status and status.state is state and until(status) else None

        return wait_until(seen, what=f"{name}/{instance} {state}: {self.one(name, instance)}")

    def wait_all_ready(self):
        for status in self.supervisor.statuses():
            self.wait(status.name, instance=status.instance)
        return self

    def states_of(self, name):
        """Return the states the first instance went through, each once for as long as it held."""
        found = []
        for statuses in list(self.changes):
            state = next(s.state for s in statuses if (s.name, s.instance) == (name, 1))
            if not found or found[-1] is not state:
                found.append(state)
        return found


class UpCommand:
    """``watchkeeper up`` as a user runs it, with only the given processes."""

    def __init__(self, directory, *arguments, stdout=None, **processes):
        self.data_dir = directory / "var"
        self.config_dir = directory / "config"
        self.config_dir.mkdir(exist_ok=True)
        declared = {**dict.fromkeys(SHIPPED), **processes}
        text = yaml.safe_dump({"processes": declared})
        (self.config_dir / "stack.yml").write_text(text)
        self.client = SupervisorClient(self.data_dir)
        self.output = directory / "output.txt"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "watchkeeper", "up", "--data-dir", str(self.data_dir),
                 "--config-dir", str(self.config_dir), *arguments],
                stdout=stdout or output, stderr=output, stdin=subprocess.DEVNULL, env=environment(),
                start_new_session=True,
            )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        finally:
            self.process.kill()

    def text(self):
        return self.output.read_text()

    def wait_ready(self):
        wait_until(self._is_ready, what=f"all ready in {self.text()}")
        return self

    def _is_ready(self):
        assert self.process.poll() is None, self.text()
        return "all ready in" in self.text()

    def children(self):
        return psutil.Process(self.process.pid).children(recursive=True)


def environment():
    """Return the environment without what an outer stack would say."""
    return {k: v for k, v in os.environ.items() if not k.startswith("WATCHKEEPER_")}
