"""What may be asked of a running stack: restart, scale, and a signal for faults."""

from __future__ import annotations

import signal

from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.supervisor.status import ProcessStatus, State
from watchkeeper.supervisor.supervisor import Supervisor

Statuses = list[ProcessStatus]

OldPids = dict[int, int | None]
"""By instance, the child it had before it was asked to start (again)."""


class Operations:
    """Requests to a supervisor, for any thread; each returns when it has had its effect."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def processes(self) -> Statuses:
        """Return every instance, in starting order."""
        return self._supervisor.statuses()

    def restart(self, name: str, instance: int | None = None) -> Statuses:
        """End an instance (all for None), start it again and return when it is ready.

        Raises:
            Refused: there is no such process or instance.
            UpstreamError: it did not become ready, and why.
        """

        before = self._supervisor.on_loop(lambda: self._supervisor.find(name).restart(instance))
        settings = self._supervisor.stack.processes[name]
        patience_seconds = settings.grace_seconds + settings.ready_seconds
        return self._await_ready(name, before, patience_seconds)

    def scale(self, name: str, instances: int) -> Statuses:
        """Run this many instances and return when the new ones are ready.

        Raises:
            Refused: there is no such process, or the number is outside its bounds.
            UpstreamError: a new one did not become ready, and why.
        """

        def request() -> OldPids:
            group = self._supervisor.find(name)
            group.require_scalable(instances)
            new: OldPids = dict.fromkeys(range(group.count + 1, instances + 1))
            # Prometheus hears first: an instance that goes on purpose is not a target that is down.
            self._supervisor.announce({name: instances})
            group.scale(instances)
            return new

        new = self._supervisor.on_loop(request)
        self._await_ready(name, new, self._supervisor.stack.processes[name].ready_seconds)
        return [one for one in self.processes() if one.name == name]

    def kill(self, name: str, number: signal.Signals, instance: int | None = None) -> Statuses:
        """Send a signal to an instance (all for None); raise Refused when there is none."""

        def request() -> Statuses:
            chosen = self._supervisor.find(name).choose(instance)
            for one in chosen:
                one.send(number)
            return [one.status() for one in chosen]

        return self._supervisor.on_loop(request)

    def _await_ready(self, name: str, before: OldPids, patience_seconds: float) -> Statuses:
        def concerned(statuses: Statuses) -> Statuses:
            return [one for one in statuses if one.name == name and one.instance in before]

        def is_settled(statuses: Statuses) -> bool:
            those = concerned(statuses)
            return bool(failures(those)) or all(is_new(one, before) for one in those)

        is_in_time = self._supervisor.wait_for(is_settled, patience_seconds)
        those = concerned(self._supervisor.statuses())
        failed = failures(those)
        if failed:
            raise UpstreamError("; ".join(failed), reason=Reason.UNEXPECTED)
        if not is_in_time:
            why = "; ".join(f"{one.title}: {one.reason}" for one in those if one.reason)
            raise UpstreamError(
                f"{name} is not ready after {patience_seconds:g} s: {why}", reason=Reason.TIMEOUT
            )
        return those


def failures(statuses: Statuses) -> list[str]:
    """Return what went wrong with those that ended although they were to run."""
    return [
        f"{one.title} did not stay up: {one.reason}"
        for one in statuses
        if one.state in (State.BACKING_OFF, State.EXITED)
    ]


def is_new(status: ProcessStatus, before: OldPids) -> bool:
    """Return whether an instance is ready in another life than the one before."""
    return status.state is State.READY and status.pid != before[status.instance]
