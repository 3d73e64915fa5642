"""The loop that keeps a stack running until it is asked to stop."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from watchkeeper.clock import Clock, SystemClock
from watchkeeper.errors import Reason, Refused, UpstreamError
from watchkeeper.supervisor.discovery import Discovery
from watchkeeper.supervisor.group import Group
from watchkeeper.supervisor.logfile import LogFile
from watchkeeper.supervisor.process import Process
from watchkeeper.supervisor.settings import ProcessSettings
from watchkeeper.supervisor.stack import Stack
from watchkeeper.supervisor.status import ProcessStatus

TICK_SECONDS = 0.1
LOG_CAP_SECONDS = 5.0
PROBE_THREADS = 4
REQUEST_SECONDS = 10.0
"""The loop takes a request within a tick; this long means that it no longer turns."""

Statuses = list[ProcessStatus]
Answer = TypeVar("Answer")


class Supervisor:
    """Starts a stack in order, keeps it running, and ends it in the opposite order.

    ``run`` blocks; the thread that calls it must live as long as the processes (see ``tether``)
    and is the only one that touches them. The other public methods may be called from any thread.

    Args:
        stack: what to run.
        discovery: told how many instances there are, so that Prometheus scrapes those.
        on_change: called with every status when one of them has changed.
        on_trouble: told, once, of what went wrong without hurting any process.
        clock: asked for the time of every change.
    """

    def __init__(
        self,
        stack: Stack,
        discovery: Discovery,
        *,
        on_change: Callable[[Statuses], None] = lambda _statuses: None,
        on_trouble: Callable[[str], None] = lambda _text: None,
        clock: Clock | None = None,
    ) -> None:
        self.stack = stack
        self._discovery = discovery
        self._on_change = on_change
        self._on_trouble, self._told = on_trouble, set[str]()
        self._clock = clock or SystemClock()
        self._probes = ThreadPoolExecutor(PROBE_THREADS, thread_name_prefix="probe")
        self._groups = {name: self._group(name, one) for name, one in stack.processes.items()}
        self._requests: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stops_asked = 0
        self._statuses = self._look()
        self._changed = threading.Condition()
        self._next_cap_seconds = 0.0

    def run(self) -> None:
        """Run the stack until ``stop``; no process of it is left when this returns."""
        self.announce({})
        try:
            self._turn()
        finally:
            try:
                # After a bug of ours: databases still get the time to end in order.
                self._count_stop()
                self._turn()
            finally:
                self._kill_all()
                self._probes.shutdown(wait=False, cancel_futures=True)

    def stop(self) -> None:
        """Ask every process to end; asked again, kill them. Safe in a signal handler."""
        self._requests.put(self._count_stop)

    def statuses(self) -> Statuses:
        """Return every wanted instance, in starting order."""
        return self._statuses

    def wait_for(self, predicate: Callable[[Statuses], Answer], timeout_seconds: float) -> Answer:
        """Return the first truthy answer of ``predicate`` on the statuses, or its last one."""
        with self._changed:
            return self._changed.wait_for(
                lambda: predicate(self._statuses), timeout=timeout_seconds
            )

    def on_loop(self, request: Callable[[], Answer]) -> Answer:
        """Carry out ``request`` on the thread of ``run`` and return its answer.

        Raises:
            Refused: the request raised it, or the stack is stopping.
            UpstreamError: the loop does not turn, or the system did not let the request be done.
        """
        answer: Future[Answer] = Future()

        def carry_out() -> None:
            try:
                self._require_staying()
                answer.set_result(request())
            except Exception as error:  # noqa: BLE001  # it is the asker's; the loop turns on
                answer.set_exception(error)
            self._publish()

        self._requests.put(carry_out)
        try:
            return answer.result(REQUEST_SECONDS)
        except TimeoutError:
            raise UpstreamError("the supervisor is busy", reason=Reason.TIMEOUT) from None
        except OSError as error:
            why = f"the supervisor could not do it: {error}"
            raise UpstreamError(why, reason=Reason.UNEXPECTED) from error

    def find(self, name: str) -> Group:
        """Return a process' instances, for use on the loop; raise Refused for an unknown name."""
        if name not in self._groups:
            known = ", ".join(sorted(self._groups))
            raise Refused(f"there is no process {name!r}; there are {known}")
        return self._groups[name]

    def announce(self, wanted: Mapping[str, int]) -> None:
        """Tell Prometheus how many instances there are, or will be at once, of each process."""
        counts = {name: group.count for name, group in self._groups.items()}
        self._discovery.announce({**counts, **wanted})

    def _group(self, name: str, settings: ProcessSettings) -> Group:
        directory = self.stack.place.data_dir / "logs"

        def make(instance: int) -> Process:
            file = f"{name}.log" if instance == 1 else f"{name}-{instance}.log"
            return Process(
                self.stack.launch(name, instance),
                settings,
                LogFile(directory / file),
                probes=self._probes,
                clock=self._clock,
            )

        return Group(name, settings, make)

    def _turn(self) -> None:
        while not (self._stops_asked and not self._anything_runs()):
            self._take_requests()
            self._advance()
            self._publish()

    def _take_requests(self) -> None:
        try:
            self._requests.get(timeout=TICK_SECONDS)()
            while True:
                self._requests.get_nowait()()
        except queue.Empty:
            return

    def _advance(self) -> None:
        for group in self._groups.values():
            group.tick()
        if self._stops_asked:
            self._end_due()
        else:
            self._start_due()
        now_seconds = self._clock.monotonic_seconds()
        if now_seconds >= self._next_cap_seconds:
            self._next_cap_seconds = now_seconds + LOG_CAP_SECONDS
            self._tell_new(text for group in self._groups.values() for text in group.cap_logs())

    def _tell_new(self, troubles: Iterable[str]) -> None:
        for trouble in set(troubles) - self._told:
            self._told.add(trouble)
            self._on_trouble(trouble)

    def _start_due(self) -> None:
        for group in self._groups.values():
            if group.is_started:
                continue
            awaited = [name for name in group.settings.after if not self._groups[name].is_ready]
            if awaited:
                group.hold(f"waits for {', '.join(awaited)}")
            else:
                group.start()

    def _end_due(self) -> None:
        for group in self._groups.values():
            users = (one for one in self._groups.values() if group.name in one.settings.after)
            if not any(user.is_running for user in users):
                group.end()

    def _anything_runs(self) -> bool:
        return any(group.is_running for group in self._groups.values())

    def _look(self) -> Statuses:
        return [status for group in self._groups.values() for status in group.statuses()]

    def _publish(self) -> None:
        statuses = self._look()
        if statuses == self._statuses:
            return
        with self._changed:
            self._statuses = statuses
            self._changed.notify_all()
        self._on_change(statuses)

    def _require_staying(self) -> None:
        if self._stops_asked:
            raise Refused("the stack is stopping")

    def _count_stop(self) -> None:
        self._stops_asked += 1
        if self._stops_asked > 1:
            for group in self._groups.values():
                group.kill()

    def _kill_all(self) -> None:
        while self._anything_runs():
            for group in self._groups.values():
                group.end()
                group.kill()
                group.tick()
