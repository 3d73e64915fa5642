"""One running instance of a process, from its start to its end.

``tick`` advances it; nothing here waits. Only the supervisor's own thread may call anything but
``status`` (see ``tether``: a child dies with the thread that started it).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import Executor, Future
from contextlib import suppress
from pathlib import Path

from watchkeeper.clock import Clock, format_rfc3339
from watchkeeper.supervisor import backoff
from watchkeeper.supervisor.logfile import LogFile
from watchkeeper.supervisor.probe import Answer, Probe
from watchkeeper.supervisor.settings import ProcessSettings, Restart
from watchkeeper.supervisor.stack import Launch
from watchkeeper.supervisor.status import ProcessStatus, State

PROBE_STARTING_SECONDS = 0.5
PROBE_READY_SECONDS = 5.0

_TETHER = Path(__file__).with_name("tether.py")


class Process:
    """An instance that is started, watched, restarted and ended.

    Args:
        launch: what to start.
        settings: how it is run.
        log: where its output goes.
        probes: runs the questions whether it is ready, each bounded in time.
        clock: asked for the time of every change.
    """

    def __init__(
        self,
        launch: Launch,
        settings: ProcessSettings,
        log: LogFile,
        *,
        probes: Executor,
        clock: Clock,
    ) -> None:
        self.launch = launch
        self.settings = settings
        self.log = log
        self._probes = probes
        self._clock = clock
        self._child: subprocess.Popen[bytes] | None = None
        self._state, self._reason = State.STOPPED, ""
        self._since = clock.now()
        self._starts = 0
        self._failures = 0
        self._started_seconds = 0.0
        self._retry_seconds = 0.0
        self._ending_since_seconds: float | None = None
        self._start_again = False
        self._probe: Future[Answer] | None = None
        self._next_probe_seconds = 0.0
        self._heard_seconds: float | None = None

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self._state

    @property
    def is_running(self) -> bool:
        """Whether there is a child, also one that is ending."""
        return self._child is not None

    def status(self) -> ProcessStatus:
        """Return what is known of it now."""
        child = self._child
        return ProcessStatus(
            name=self.launch.name,
            instance=self.launch.instance,
            service=self.settings.scrape.service if self.settings.scrape else "",
            state=self._state,
            pid=child.pid if child else None,
            port=self.launch.port,
            url=self.launch.url,
            restarts=max(0, self._starts - 1),
            since=format_rfc3339(self._since),
            reason=self._reason,
        )

    def hold(self, reason: str) -> None:
        """Say why it has not been started yet."""
        self._enter(State.STOPPED, reason)

    def start(self) -> None:
        """Start it now, when it does not run; the failures before this no longer count."""
        assert self._child is None  # noqa: S101  # a second child would be lost to us
        self._failures = 0
        self._spawn()

    def restart(self) -> None:
        """End it if it runs and start it as soon as it has ended."""
        if self.is_running:
            self.end(reason="restarting")
            self._start_again = True
        else:
            self.start()

    def end(self, *, reason: str = "ended as asked") -> None:
        """Ask it to end; after its grace it is killed. Ending twice is ending once."""
        self._start_again = False
        if self._child is None:
            self._enter(State.STOPPED, reason)
            return
        if self._ending_since_seconds is None:
            self._ending_since_seconds = self._clock.monotonic_seconds()
            self.send(signal.SIGTERM)
            # One that was stopped by SIGSTOP sees SIGTERM only when it runs again.
            self.send(signal.SIGCONT)
        self._enter(State.STOPPED, reason)

    def kill(self) -> None:
        """Kill it and all it has started, at once."""
        if self._child is not None:
            self._signal_group(self._child.pid, signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process itself, not to what it has started."""
        if self._child is not None:
            self._child.send_signal(number)

    def tick(self) -> None:
        """Look at it once: has it ended, is it ready, is it time to start or to kill it."""
        now_seconds = self._clock.monotonic_seconds()
        if self._child is None:
            if self._state is State.BACKING_OFF and now_seconds >= self._retry_seconds:
                self._spawn()
            return
        code = self._child.poll()
        if code is not None:
            self._ended(code, now_seconds)
        elif self._ending_since_seconds is None:
            self._look(now_seconds)
        elif now_seconds - self._ending_since_seconds > self.settings.grace_seconds:
            self.kill()

    def _spawn(self) -> None:
        try:
            self._child = self._popen()
        except OSError as error:  # no descriptor, process or room on the disk is left: they return
            self._back_off(f"cannot be started: {error}", ran_seconds=0.0)
            return
        self._starts += 1
        self._started_seconds = self._next_probe_seconds = self._clock.monotonic_seconds()
        self._ending_since_seconds, self._probe, self._heard_seconds = None, None, None
        self._enter(State.STARTING, "just started")

    def _popen(self) -> subprocess.Popen[bytes]:
        argv = (sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), *self.launch.argv)
        inherited = {k: v for k, v in os.environ.items() if k not in self.launch.withheld}
        with self.log.open() as output:
            return subprocess.Popen(
                argv,
                env={**inherited, **self.launch.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is for the supervisor alone
            )

    def _ended(self, code: int, now_seconds: float) -> None:
        assert self._child is not None  # noqa: S101  # only called for a child that has ended
        self._signal_group(self._child.pid, signal.SIGKILL)  # whatever it left behind
        was_asked = self._ending_since_seconds is not None
        self._child, self._ending_since_seconds, self._probe = None, None, None
        if was_asked:
            if self._start_again:
                self._start_again = False
                self.start()
            return
        why = self._describe(code)
        if self.settings.restart is Restart.ON_REQUEST:
            self._enter(State.EXITED, f"{why}; waits until a restart is asked for")
            return
        self._back_off(why, ran_seconds=now_seconds - self._started_seconds)

    def _back_off(self, why: str, *, ran_seconds: float) -> None:
        self._failures = backoff.failures_in_a_row(self._failures, ran_seconds=ran_seconds)
        delay = backoff.delay_seconds(self._failures)
        self._retry_seconds = self._clock.monotonic_seconds() + delay
        self._enter(State.BACKING_OFF, f"{why}; starts again in {delay:g} s")

    def _describe(self, code: int) -> str:
        if code < 0:
            return f"killed by {_signal_name(-code)}"
        said = self.log.last_line()
        return f"ended with exit code {code}" + (f": {said}" if said else "")

    def _look(self, now_seconds: float) -> None:
        if self._probe is not None:
            if self._probe.done():
                self._judge(_answer(self._probe), now_seconds)
                self._probe = None
        elif now_seconds >= self._next_probe_seconds:
            self._probe = self._probes.submit(Probe(self.launch.port, self.settings.ready).ask)

    def _judge(self, answer: Answer, now_seconds: float) -> None:
        if answer.problem is None:
            self._next_probe_seconds = now_seconds + PROBE_READY_SECONDS
            self._heard_seconds = now_seconds
            self._enter(State.READY, "")
            return
        self._next_probe_seconds = now_seconds + PROBE_STARTING_SECONDS
        self._enter(State.STARTING, answer.problem)
        if not answer.is_silent and self._heard_seconds is not None:
            self._heard_seconds = now_seconds
        if self._is_hung(now_seconds):
            silence = f"hung: no answer for {self.settings.hung_after:g} s"
            self.end(reason=f"{silence}; restarting")
            self._start_again = True

    def _is_hung(self, now_seconds: float) -> bool:
        # One that has never been ready may still be on its way, through a long log to replay, say.
        if self._heard_seconds is None or self.settings.restart is Restart.ON_REQUEST:
            return False
        return now_seconds - self._heard_seconds > self.settings.hung_after

    def _enter(self, state: State, reason: str) -> None:
        if state is not self._state:
            self._since = self._clock.now()
        self._state, self._reason = state, reason

    @staticmethod
    def _signal_group(group: int, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):  # nothing (of ours) is left of it
            os.killpg(group, number)


def _answer(probe: Future[Answer]) -> Answer:
    """Return what a probe found; a bug in it is a reason not to be ready, not our end."""
    error = probe.exception()
    if error is None:
        return probe.result()
    return Answer(f"cannot be asked: {type(error).__name__}: {error}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most of the real-time signals have no name
        return f"signal {number}"
