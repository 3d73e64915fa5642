"""The stack a game day runs on: the one already up, or a demo started for the occasion."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watchkeeper import addresses
from watchkeeper.errors import UpstreamError, WatchkeeperError
from watchkeeper.gameday.drill import POLL_SECONDS, Stopped, Tell
from watchkeeper.supervisor.client import SupervisorClient
from watchkeeper.supervisor.logfile import LogFile
from watchkeeper.supervisor.status import ProcessStatus, State

START_SECONDS = 240.0
"""A bare machine's first start may take this long."""

STOP_SECONDS = 60.0


@contextmanager
def demo_stack(
    data_dir: Path, *, port_offset: int, tell: Tell, stop: threading.Event
) -> Iterator[SupervisorClient]:
    """Yield the supervisor of the stack on ``data_dir``; start a demo when none is running.

    A demo started here is stopped on leaving; one that was up already is left up.

    Raises:
        Stopped: ``stop`` was set before the stack was ready.
        WatchkeeperError: the stack did not become ready.
    """
    if processes_on(data_dir):
        tell("using the stack that is already up")
        yield _wait_ready(data_dir, None, tell, stop)
        return
    tell("starting the demo")
    started = _start(data_dir, port_offset)
    try:
        yield _wait_ready(data_dir, started, tell, stop)
    finally:
        tell("stopping the demo")
        _stop(started)


def processes_on(data_dir: Path) -> list[ProcessStatus]:
    """Return what the supervisor on ``data_dir`` runs; nothing when there is no supervisor."""
    try:
        return SupervisorClient(data_dir).processes()
    except UpstreamError:
        return []


def _start(data_dir: Path, port_offset: int) -> subprocess.Popen[bytes]:
    log = LogFile(addresses.make_data_dir(data_dir) / "logs" / "gameday-demo.log")
    log.cap()
    command = [
        sys.executable, "-m", "watchkeeper", "up", "--demo",
        "--data-dir", str(data_dir), "--port-offset", str(port_offset),
    ]  # fmt: skip
    with log.open() as output:
        # Its own session: Ctrl-C reaches us alone, and we end it in order.
        return subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
            start_new_session=True, env=os.environ,
        )  # fmt: skip


def _wait_ready(
    data_dir: Path, started: subprocess.Popen[bytes] | None, tell: Tell, stop: threading.Event
) -> SupervisorClient:
    deadline = time.monotonic() + START_SECONDS
    waiting_for = ""
    while time.monotonic() < deadline:
        if started is not None and started.poll() is not None:
            raise WatchkeeperError(
                f"the demo ended with code {started.returncode}; see logs/gameday-demo.log"
            )
        processes = processes_on(data_dir)
        late = [process.title for process in processes if process.state is not State.READY]
        if processes and not late:
            return SupervisorClient(data_dir)
        now_waiting_for = ", ".join(late) or "the supervisor"
        if now_waiting_for != waiting_for:
            waiting_for = now_waiting_for
            tell(f"  waiting for {waiting_for}")
        if stop.wait(POLL_SECONDS):
            raise Stopped
    raise WatchkeeperError(f"not ready after {START_SECONDS:g} s: {waiting_for}")


def _stop(started: subprocess.Popen[bytes]) -> None:
    if started.poll() is None:
        started.send_signal(signal.SIGINT)
    try:
        started.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()
