"""Deployments of a Kubernetes cluster: a rollout restart, or more replicas."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Any

from remediation.deed import aftermath
from remediation.kubernetes_api import Cluster
from remediation.runtimes.instance import Instance
from remediation.targets.service import DeploymentAddress
from watchkeeper.clock import SystemClock, format_rfc3339

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""The annotation `kubectl rollout restart` sets: the template changes, so every pod is replaced."""

LOOK_AGAIN_SECONDS = 0.5


class KubernetesDeployment:
    """One Deployment; a restart replaces its pods as its own rollout strategy says."""

    def __init__(self, address: DeploymentAddress, limit_seconds: float) -> None:
        self._address = address
        self._limit_seconds = limit_seconds

    @cached_property
    def _cluster(self) -> Cluster:
        return Cluster(self._address, self._limit_seconds)

    def instances(self) -> list[Instance]:
        """Return the Deployment as one: it is its controller that knows which pods count."""
        found = self._read()
        wanted, status = found.spec.replicas or 0, found.status
        up_to_date, available = status.updated_replicas or 0, status.available_replicas or 0
        is_seen = (status.observed_generation or 0) >= found.metadata.generation
        annotations = found.spec.template.metadata.annotations or {}
        return [
            Instance(
                title=f"{self._address.namespace}/{self._address.deployment}",
                identity=annotations.get(RESTARTED_AT),
                is_ready=is_seen
                and up_to_date == available == wanted
                and (status.replicas or 0) == wanted,
                said=f"{available} of {wanted} available, {up_to_date} up to date",
            )
        ]

    def restart(self) -> None:
        """Have every pod replaced, and wait until the rollout is through or the time is over."""
        stamp = {RESTARTED_AT: format_rfc3339(SystemClock().now())}
        self._patch({"spec": {"template": {"metadata": {"annotations": stamp}}}})
        self._wait()

    def count(self) -> int:
        """Return how many replicas are asked for."""
        return self._read().spec.replicas or 0

    def scale(self, count: int) -> None:
        """Ask for this many replicas, and wait until they are available or the time is over."""
        self._patch({"spec": {"replicas": count}})
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + self._limit_seconds
        with aftermath():
            while not self.instances()[0].is_ready and time.monotonic() < deadline:
                time.sleep(LOOK_AGAIN_SECONDS)

    def _read(self) -> Any:
        call = self._cluster.apps.read_namespaced_deployment
        return self._cluster.ask(call, self._address.deployment, self._address.namespace)

    def _patch(self, change: dict[str, Any]) -> None:
        call = self._cluster.apps.patch_namespaced_deployment
        self._cluster.ask(call, self._address.deployment, self._address.namespace, change)
