"""Processes of Watchkeeper's own supervisor."""

from __future__ import annotations

from remediation.runtimes.instance import Instance
from watchkeeper.errors import UpstreamError
from watchkeeper.supervisor.client import SupervisorClient
from watchkeeper.supervisor.status import State


class SupervisedProcess:
    """All instances of a process, or one of them.

    Args:
        name: the supervisor's name of it.
        limit_seconds: for each call.
        instance: the only one that is meant.
    """

    def __init__(self, name: str, limit_seconds: float, *, instance: int | None = None) -> None:
        self._name = name
        self._instance = instance
        self._supervisor = SupervisorClient(timeout_seconds=limit_seconds)

    def instances(self) -> list[Instance]:
        """Return what the supervisor tells of them."""
        found = [
            Instance(
                title=one.title,
                identity=str(one.pid) if one.pid is not None else None,
                is_ready=one.state is State.READY,
                said=f"{one.state} {one.reason or ''}".strip(),
            )
            for one in self._supervisor.processes()
            if one.name == self._name and self._instance in (None, one.instance)
        ]
        if not found:
            raise UpstreamError(f"the supervisor runs no process {self._name!r}")
        return found

    def restart(self) -> None:
        """Restart them; the supervisor answers when they are ready."""
        self._supervisor.restart(self._name, self._instance)

    def count(self) -> int:
        """Return how many instances the supervisor runs."""
        return len(self.instances())

    def scale(self, count: int) -> None:
        """Have it run this many."""
        self._supervisor.scale(self._name, count)
