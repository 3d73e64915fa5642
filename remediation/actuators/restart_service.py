"""Restarts a supervised process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remediation.actuators import Done, Tell, in_silence
from remediation.actuators.parameters import whole_numbers
from remediation.targets.supervised import RestartTarget
from watchkeeper.errors import UpstreamError
from watchkeeper.supervisor.client import SupervisorClient
from watchkeeper.supervisor.status import ProcessStatus, State


class RestartService:
    """All instances of a process, or the one of parameter ``instance``."""

    def __init__(self, target: str, allowed: RestartTarget, parameters: Mapping[str, Any]) -> None:
        self._target = target
        self._instance = whole_numbers(parameters, "instance").get("instance")
        self._supervisor = SupervisorClient(timeout_seconds=allowed.time_limit)

    def preview(self) -> Done:
        """Say which processes would be ended and started again."""
        found = self._read()
        told = ", ".join(f"{one.title} ({one.state})" for one in found)
        return Done(f"would restart {told}", {"pids": _pids(found)})

    def perform(self, tell: Tell = in_silence) -> Done:
        """Restart, then look for new processes that are ready."""
        before = self._read()
        tell("restarting, waiting until it is ready")
        self._supervisor.restart(self._target, self._instance)
        after = self._read()
        if any(one.state is not State.READY for one in after):
            told = "; ".join(f"{one.title}: {one.state} {one.reason}" for one in after)
            raise UpstreamError(f"not ready after the restart: {told}")
        if set(_pids(before).values()) & set(_pids(after).values()) - {None}:
            raise UpstreamError(f"{self._target} was not restarted: a process is still the old one")
        return Done(
            f"restarted {', '.join(one.title for one in after)}",
            {"pids_before": _pids(before), "pids_after": _pids(after)},
        )

    def _read(self) -> list[ProcessStatus]:
        found = [
            one
            for one in self._supervisor.processes()
            if one.name == self._target and self._instance in (None, one.instance)
        ]
        if not found:
            raise UpstreamError(f"the supervisor runs no process {self._target!r}")
        return found


def _pids(statuses: list[ProcessStatus]) -> dict[str, int | None]:
    return {one.title: one.pid for one in statuses}
