"""The hands: each actuator carries out one kind of action, one file each.

A new one is a file here, a line in ``ACTUATORS`` its targets in ``settings.Actions`` and a row
in docs/actions.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

from remediation.targets import Limited

ACTUATORS = {
    "restart-service": "remediation.actuators.restart_service:RestartService",
    "scale-out": "remediation.actuators.scale_out:ScaleOut",
    "auto-scale": "remediation.actuators.scale_out:ScaleOut",
    "scale-immediately": "remediation.actuators.scale_out:ScaleImmediately",
    "cordon-node": "remediation.actuators.cordon_node:CordonNode",
    "clear-cache": "remediation.actuators.clear_cache:ClearCache",
    "log-slow-queries": "remediation.actuators.log_slow_queries:LogSlowQueries",
    "terminate-blocker": "remediation.actuators.terminate_blocker:TerminateBlocker",
    "run-command": "remediation.actuators.run_command:RunCommand",
    "trigger-gc": "remediation.actuators.trigger_gc:TriggerGc",
    "heap-snapshot": "remediation.actuators.heap_snapshot:HeapSnapshot",
    "set-log-level": "remediation.actuators.set_log_level:SetLogLevel",
    "enable-query-cache": "remediation.actuators.enable_query_cache:EnableQueryCache",
    "set-server": "remediation.actuators.set_server:SetServer",
}
"""Action to its actuator, imported when first asked for."""


Tell = Callable[[str], None]
"""Takes one sentence on how far the work is, for whoever asks meanwhile."""


def in_silence(_sentence: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done (or would be), for people and for the record."""

    summary: str
    detail: Mapping[str, Any] = field(default_factory=dict)


class Actuator(Protocol):
    """Does one action to one target.

    Made as ``Kind(target_name, allowed, parameters)`` with ``allowed`` from ``endpoint.yml``;
    that raises CallRefused for parameters it does not take. All methods keep within
    ``allowed.time_limit`` and raise a WatchkeeperError when they fail.
    """

    def preview(self) -> Done:
        """Say what ``perform`` would do now, and change nothing."""

    def perform(self, tell: Tell = in_silence) -> Done:
        """Do it, look whether it is so, and say what was done."""


@runtime_checkable
class Temporary(Protocol):
    """An actuator whose change is put back after a time, or when asked; repeating it prolongs it.

    Attributes:
        lasts_seconds: after which the endpoint calls ``revert``, also when it was restarted.
    """

    lasts_seconds: float

    def state(self, kept: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return what ``revert`` will need, as JSON; asked just before ``perform``.

        Args:
            kept: what an earlier call kept whose change was not put back yet.
        """

    def revert(self, state: Mapping[str, Any]) -> Done:
        """Put back what was before, unless somebody else has changed it since."""


@runtime_checkable
class Held(Temporary, Protocol):
    """A change that what it was made on may forget, as a proxy does when it is reloaded."""

    def hold(self, state: Mapping[str, Any]) -> dict[str, Any] | None:
        """Make it again when it was forgotten, and return the state to keep from then on."""


def make(action: str, target: str, allowed: Limited, parameters: Mapping[str, Any]) -> Actuator:
    """Return the actuator for a call; raise CallRefused for parameters it does not take."""
    module, _, name = ACTUATORS[action].partition(":")
    actuator: Actuator = getattr(import_module(module), name)(target, allowed, parameters)
    return actuator
