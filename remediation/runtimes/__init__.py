"""What runs a service: the supervisor, systemd, a container engine or Kubernetes; one file each.

A new one is a file here, an address in ``targets/service.py`` and a line in ``RUNTIMES``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

from remediation.refusal import unacceptable
from remediation.runtimes.instance import Instance
from remediation.runtimes.supervised import SupervisedProcess
from remediation.targets.service import RestartTarget, ScaleTarget, ServiceTarget

RUNTIMES = {
    "systemd": "remediation.runtimes.systemd:SystemdUnit",
    "container": "remediation.runtimes.container:EngineContainer",
    "kubernetes": "remediation.runtimes.deployment:KubernetesDeployment",
}
"""Key of a target to what runs it, imported when first asked for; without one: the supervisor."""


class Runtime(Protocol):
    """Looks at a service and starts it again; each call keeps within the target's time limit."""

    def instances(self) -> list[Instance]:
        """Return every copy there is; raise UpstreamError for a service that is not known."""

    def restart(self) -> None:
        """End the copies and start them again; return once they had time to be ready."""


class Scalable(Protocol):
    """A runtime that can run more copies."""

    def count(self) -> int:
        """Return how many copies are asked for."""

    def scale(self, count: int) -> None:
        """Ask for exactly ``count`` copies; return once they are ready."""


def to_restart(target: str, allowed: RestartTarget, *, instance: int | None) -> Runtime:
    """Return what runs ``target``, or its one ``instance`` where copies have numbers.

    Raises:
        CallRefused: ``instance`` is given and the copies have no numbers.
    """
    found = _of_another(allowed)
    if found is None:
        return SupervisedProcess(target, allowed.time_limit, instance=instance)
    if instance is not None:
        raise unacceptable(f"parameters.instance: the copies of {target} have no numbers")
    runtime: Runtime = found
    return runtime


def to_scale(target: str, allowed: ScaleTarget) -> Scalable:
    """Return what runs ``target`` and can run more of it."""
    runtime: Scalable = _of_another(allowed) or SupervisedProcess(target, allowed.time_limit)
    return runtime


def _of_another(allowed: ServiceTarget) -> Any:
    """Return the runtime that the target names; None when it is the supervisor."""
    for key in allowed.runtimes():
        module, _, kind = RUNTIMES[key].partition(":")
        return getattr(import_module(module), kind)(getattr(allowed, key), allowed.time_limit)
    return None
