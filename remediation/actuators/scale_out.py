"""Adds copies of a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from remediation import runtimes
from remediation.actuators import Done, Tell, in_silence
from remediation.actuators.parameters import whole_numbers
from remediation.deed import aftermath, deed
from remediation.refusal import unacceptable
from remediation.targets.service import ScaleTarget
from watchkeeper.errors import UpstreamError

MOST_COPIES = 100
"""More than any target's ``maximum`` can be."""


def wanted_instances(current: int, *, by: int, instances: int | None, maximum: int) -> int:
    """Return the absolute number to run: never fewer than now, never more than ``maximum``."""
    asked = instances if instances is not None else current + by
    return max(current, min(asked, maximum))


class ScaleOut:
    """By parameter ``by`` (1 when absent) or to ``instances``; ``maximum`` may lower the limit."""

    step: ClassVar[int] = 1
    """How many are added when the call does not say."""

    def __init__(self, target: str, allowed: ScaleTarget, parameters: Mapping[str, Any]) -> None:
        given = whole_numbers(parameters, "by", "instances", "maximum")
        if "by" in given and "instances" in given:
            raise unacceptable("parameters: expected by or instances, not both")
        self._target = target
        self._by, self._instances = given.get("by", self.step), given.get("instances")
        self._maximum = min(allowed.maximum, given.get("maximum", allowed.maximum))
        self._runtime = runtimes.to_scale(target, allowed)

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
        with deed():
            self._runtime.scale(wanted)
        with aftermath():
            found = self._runtime.count()
        if found != wanted:
            raise UpstreamError(
                f"{self._target} runs {found} instance(s) after asking for {wanted}"
            )
        return Done(
            f"scaled {self._target} from {current} to {found} instances",
            {"before": current, "after": found},
        )

    def _plan(self) -> tuple[int, int]:
        current = self._runtime.count()
        wanted = wanted_instances(
            current, by=self._by, instances=self._instances, maximum=self._maximum
        )
        return current, wanted


class ScaleImmediately(ScaleOut):
    """The same for when waiting costs more than copies: all that are allowed at once."""

    step = MOST_COPIES
