"""Services that may be restarted or given more copies, and what runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from remediation.targets import Limited
from watchkeeper.configuration import DurationSeconds, Settings

RUNTIME_KEYS = ("systemd", "container", "kubernetes")
"""Of a target: each names another thing than the supervisor that runs the service."""

# As systemd.unit(5) allows, and never an option.
UnitName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]*\.\w+$")]

# What engines accept as a name; it becomes part of a path.
ContainerName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]

# A DNS label, as Kubernetes asks of names (RFC 1123).
KubernetesName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=253)
]


class SystemdAddress(Settings):
    """A unit of this machine's systemd.

    Attributes:
        unit: with its ending, such as ``shop.service``.
        user: the manager of the endpoint's own user instead of the system's.
    """

    unit: UnitName
    user: bool = False


class ContainerAddress(Settings):
    """A container of an engine on this machine (Docker's API, which podman speaks too).

    Attributes:
        name: of the container.
        socket: of the engine.
        stop_timeout: how long it may take to end by itself before it is killed.
    """

    name: ContainerName
    socket: Path = Path("/run/docker.sock")
    stop_timeout: Annotated[DurationSeconds, Field(ge=0, le=300)] = 10.0


class ClusterAddress(Settings):
    """Which cluster, as kubectl would know it.

    Attributes:
        kubeconfig: file to read; without it the pod's own service account.
        context: of the file; its current one unless said otherwise.
    """

    kubeconfig: Path | None = None
    context: str | None = None


class DeploymentAddress(ClusterAddress):
    """A Deployment of a Kubernetes cluster."""

    namespace: KubernetesName = "default"
    deployment: KubernetesName


class ServiceTarget(Limited):
    """A service; run by the supervisor, unless ``kubernetes`` says otherwise."""

    kubernetes: DeploymentAddress | None = None

    def runtimes(self) -> list[str]:
        """Return the keys that say what runs it; none for the supervisor."""
        return [name for name in RUNTIME_KEYS if getattr(self, name, None) is not None]

    @model_validator(mode="after")
    def _runs_in_one_place(self) -> Self:
        if len(given := self.runtimes()) > 1:
            raise ValueError(f"expected only one of {' and '.join(given)}: what runs the service")
        return self


class RestartTarget(ServiceTarget):
    """A service that may be restarted."""

    systemd: SystemdAddress | None = None
    container: ContainerAddress | None = None


class ScaleTarget(ServiceTarget):
    """A service that may be given more copies, never more than ``maximum``."""

    maximum: Annotated[int, Field(ge=1, le=100)]


class NodeTarget(Limited):
    """A node of a Kubernetes cluster that may be closed to new pods for a while.

    Attributes:
        node: its name.
        minimum_ready: so many other nodes must be ready and open.
        lasts: for how long; a call may ask for less.
    """

    kubernetes: ClusterAddress = Field(default_factory=ClusterAddress)
    node: KubernetesName
    minimum_ready: Annotated[int, Field(ge=1)] = 1
    lasts: Annotated[DurationSeconds, Field(ge=1, le=86_400)] = 900.0
    time_limit: Annotated[DurationSeconds, Field(gt=0, le=600)] = 10.0
