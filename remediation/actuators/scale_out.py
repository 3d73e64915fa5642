"""Adds instances of a supervised process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remediation.actuators import Done, Tell, in_silence
from remediation.actuators.parameters import whole_numbers
from remediation.refusal import unacceptable
from remediation.targets.supervised import ScaleTarget
from watchkeeper.errors import UpstreamError
from watchkeeper.supervisor.client import SupervisorClient


def wanted_instances(current: int, *, by: int | None, instances: int | None, maximum: int) -> int:
    """Return the absolute number to run: never fewer than now, never more than ``maximum``."""
    asked = instances if instances is not None else current + (by or 1)
    return max(current, min(asked, maximum))


class ScaleOut:
    """By parameter ``by`` (1 when absent) or to ``instances``; ``maximum`` may lower the limit."""

    def __init__(self, target: str, allowed: ScaleTarget, parameters: Mapping[str, Any]) -> None:
        given = whole_numbers(parameters, "by", "instances", "maximum")
        if "by" in given and "instances" in given:
            raise unacceptable("parameters: expected by or instances, not both")
        self._target = target
        self._by, self._instances = given.get("by"), given.get("instances")
        self._maximum = min(allowed.maximum, given.get("maximum", allowed.maximum))
        self._supervisor = SupervisorClient(timeout_seconds=allowed.time_limit)

    def preview(self) -> Done:
        """Say from how many to how many it would go."""
        current, wanted = self._plan()
        return Done(
            f"would scale {self._target} from {current} to {wanted} instance(s)",
            {"before": current, "wanted": wanted},
        )

    def perform(self, tell: Tell = in_silence) -> Done:
        """Set the absolute number once, and read it back."""
        current, wanted = self._plan()
        if self._instances is not None and self._instances <= current:
            return Done(f"{self._target} already runs {current} instance(s)", {"after": current})
        if wanted == current:
            raise UpstreamError(
                f"{self._target} already runs {current} instance(s), the most allowed is "
                f"{self._maximum}"
            )
        tell(f"scaling from {current} to {wanted}, waiting until all are ready")
        self._supervisor.scale(self._target, wanted)
        found = self._count()
        if found != wanted:
            raise UpstreamError(
                f"{self._target} runs {found} instance(s) after asking for {wanted}"
            )
        return Done(
            f"scaled {self._target} from {current} to {found} instances",
            {"before": current, "after": found},
        )

    def _plan(self) -> tuple[int, int]:
        current = self._count()
        wanted = wanted_instances(
            current, by=self._by, instances=self._instances, maximum=self._maximum
        )
        return current, wanted

    def _count(self) -> int:
        count = sum(one.name == self._target for one in self._supervisor.processes())
        if not count:
            raise UpstreamError(f"the supervisor runs no process {self._target!r}")
        return count
