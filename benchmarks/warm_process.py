"""The service as a process that starts in a fraction of a second, to be killed many times."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.alerting.process import AlertingProcess

STOP_SECONDS = 15.0


class WarmProcess(AlertingProcess):
    """As ``AlertingProcess``, but forked from one that has imported everything already."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        super().__init__(directory, environment)
        self._pid = 0
        self._starter = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.warm_start"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._environment,
        )  # fmt: skip

    def launch(self) -> None:
        """Start it without waiting."""
        order = {"log": str(self.log), "arguments": self.arguments}
        assert self._starter.stdin is not None
        assert self._starter.stdout is not None
        self._starter.stdin.write(json.dumps(order) + "\n")
        self._starter.stdin.flush()
        self._pid = int(self._starter.stdout.readline())

    @property
    def pid(self) -> int:
        """The process under way."""
        return self._pid

    def kill(self) -> None:
        """End it as a power cut would; safe from any thread, also when it is dead already."""
        if not self.is_dead():
            os.kill(self._pid, signal.SIGKILL)

    def is_dead(self) -> bool:
        """Return whether no process is under way."""
        if not self._pid:
            return True
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            self._pid = 0
            return True
        return False

    def stop(self) -> int:
        """Ask it to stop, wait, and let its starter go; return 0 when it obeyed."""
        if not self.is_dead():
            os.kill(self._pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while not self.is_dead() and time.monotonic() < deadline:
            time.sleep(0.05)
        obeyed = self.is_dead()
        self.kill()
        assert self._starter.stdin is not None
        self._starter.stdin.close()
        self._starter.wait(STOP_SECONDS)
        return 0 if obeyed else 1
