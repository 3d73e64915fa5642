"""The hands: each actuator carries out one kind of action, one file each.

A new one is a file here, a line in ``ACTUATORS`` and its targets in ``settings.Actions``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

from remediation.settings import Limited

ACTUATORS = {
    "restart-service": "remediation.actuators.restart_service:RestartService",
    "scale-out": "remediation.actuators.scale_out:ScaleOut",
    "clear-cache": "remediation.actuators.clear_cache:ClearCache",
}
"""Action to its actuator, imported when first asked for."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done (or would be), for people and for the record."""

    summary: str
    detail: Mapping[str, Any] = field(default_factory=dict)


class Actuator(Protocol):
    """Does one action to one target.

    Made as ``Kind(target_name, allowed, parameters)`` with ``allowed`` from ``endpoint.yml``;
    that raises CallRefused for parameters it does not take. Both methods keep within
    ``allowed.time_limit`` and raise a WatchkeeperError when they fail.
    """

    def preview(self) -> Done:
        """Say what ``perform`` would do now, and change nothing."""

    def perform(self) -> Done:
        """Do it, look whether it is so, and say what was done."""


def make(action: str, target: str, allowed: Limited, parameters: Mapping[str, Any]) -> Actuator:
    """Return the actuator for a call; raise CallRefused for parameters it does not take."""
    module, _, name = ACTUATORS[action].partition(":")
    actuator: Actuator = getattr(import_module(module), name)(target, allowed, parameters)
    return actuator
