"""The real service as a process of its own, to be killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.ports import free_port
from tests.waiting import wait_until
from watchkeeper.peers import Peer

ANSWER_SECONDS = 15.0
START_SECONDS = 120.0
STOP_SECONDS = 60.0
"""Far more than it takes; a machine busy with other tests must not be taken for a failure."""


class AlertingProcess:
    """Runs ``watchkeeper alerting`` on ``directory``; configuration and state live there."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.directory = directory
        self.port = free_port()
        self.log = directory / "alerting.log"
        self._environment = {
            **os.environ, "WATCHKEEPER_DATA_DIR": str(directory / "var"), **environment,
        }  # fmt: skip
        self.peer = Peer(
            "alerting", base_url=f"http://127.0.0.1:{self.port}", timeout_seconds=ANSWER_SECONDS
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.launch()
        wait_until(
            self.peer.is_ready,
            timeout_seconds=START_SECONDS,
            what=f"alerting is ready; its log: {self.log}",
        )

    def launch(self) -> None:
        """Start it without waiting."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "watchkeeper", *self.arguments],
                stderr=log,
                env=self._environment,
            )

    @property
    def arguments(self) -> list[str]:
        """What follows ``watchkeeper`` on the command line."""
        return [
            "alerting", "--config", str(self.directory / "alerting.yml"),
            "--rules", str(self.directory / "remediation.yml"),
            "--listen", f"127.0.0.1:{self.port}",
        ]  # fmt: skip

    @property
    def pid(self) -> int:
        """The process under way."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as a power cut would; safe from any thread, also when it is dead already."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)

    def is_dead(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def wait_for_death(self) -> int:
        """Return its exit code."""
        assert self._process is not None
        return self._process.wait(STOP_SECONDS)

    def stop(self) -> int:
        """Ask it to stop and return its exit code."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
