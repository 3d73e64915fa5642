"""Restarts a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remediation import runtimes
from remediation.actuators import Done, Tell, in_silence
from remediation.actuators.parameters import whole_numbers
from remediation.deed import aftermath, deed
from remediation.runtimes.instance import Instance
from remediation.targets.service import RestartTarget
from watchkeeper.errors import UpstreamError


class RestartService:
    """All copies of it, or the one of parameter ``instance``."""

    def __init__(self, target: str, allowed: RestartTarget, parameters: Mapping[str, Any]) -> None:
        self._target = target
        instance = whole_numbers(parameters, "instance").get("instance")
        self._runtime = runtimes.to_restart(target, allowed, instance=instance)

    def preview(self) -> Done:
        """Say which copies would be ended and started again."""
        found = self._runtime.instances()
        told = ", ".join(f"{one.title} ({one.said})" for one in found)
        return Done(f"would restart {told}", {"running": _identities(found)})

    def perform(self, tell: Tell = in_silence) -> Done:
        """Restart, then look for new copies that are ready."""
        before = self._runtime.instances()
        tell("restarting, waiting until it is ready")
        with deed():
            self._runtime.restart()
        with aftermath():
            after = self._runtime.instances()
        if any(not one.is_ready for one in after):
            told = "; ".join(f"{one.title}: {one.said}" for one in after)
            raise UpstreamError(f"not ready after the restart: {told}")
        if set(_identities(before).values()) & set(_identities(after).values()) - {None}:
            raise UpstreamError(f"{self._target} was not restarted: a copy is still the old one")
        return Done(
            f"restarted {', '.join(one.title for one in after)}",
            {"before": _identities(before), "after": _identities(after)},
        )


def _identities(instances: list[Instance]) -> dict[str, str | None]:
    return {one.title: one.identity for one in instances}
