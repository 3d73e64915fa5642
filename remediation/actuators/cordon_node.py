"""Closes a node of a Kubernetes cluster to new pods for a while."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from remediation.actuators import Done, Tell, in_silence
from remediation.actuators.parameters import shorter, whole_numbers
from remediation.deed import aftermath, deed
from remediation.kubernetes_api import Cluster
from remediation.targets.service import NodeTarget
from watchkeeper.errors import Reason, Refused, UpstreamError


class CordonNode:
    """What runs there goes on; nothing new comes. Put back after ``seconds``."""

    def __init__(self, target: str, allowed: NodeTarget, parameters: Mapping[str, Any]) -> None:
        self.lasts_seconds = shorter(allowed.lasts, whole_numbers(parameters, "seconds"))
        self._target = target
        self._allowed = allowed

    @cached_property
    def _cluster(self) -> Cluster:
        return Cluster(self._allowed.kubernetes, self._allowed.time_limit)

    def preview(self) -> Done:
        """Say whether enough other nodes would stay open."""
        others = self._open_others()
        return Done(f"would close node {self._allowed.node} to new pods", {"open_others": others})

    def state(self, kept: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return whether it was closed before; ``kept`` of an earlier call still holds."""
        return dict(kept) if kept else {"was_closed": _is_closed(self._node())}

    def perform(self, tell: Tell = in_silence) -> Done:
        """Close it while enough others are open, and look whether it is so."""
        others = self._open_others()
        if others < self._allowed.minimum_ready:
            raise Refused(
                f"only {others} other node(s) are ready and open, {self._allowed.minimum_ready} "
                "must stay so"
            )
        tell("closing it to new pods")
        self._close(closed=True)
        return Done(f"closed node {self._allowed.node} to new pods", {"open_others": others})

    def revert(self, state: Mapping[str, Any]) -> Done:
        """Open it again, unless it was closed before or somebody has opened it since."""
        node = self._allowed.node
        if state.get("was_closed"):
            return Done(f"node {node} was closed before and stays so")
        if not _is_closed(self._node()):
            return Done(f"node {node} is open already")
        self._close(closed=False)
        return Done(f"opened node {node} again")

    def _close(self, *, closed: bool) -> None:
        change = {"spec": {"unschedulable": closed}}
        with deed():
            self._cluster.ask(self._cluster.core.patch_node, self._allowed.node, change)
        with aftermath():
            node = self._node()
        if _is_closed(node) is not closed:
            text = f"node {self._allowed.node} did not take the change"
            raise UpstreamError(text, reason=Reason.BAD_ANSWER)

    def _node(self) -> Any:
        return self._cluster.ask(self._cluster.core.read_node, self._allowed.node)

    def _open_others(self) -> int:
        nodes = self._cluster.ask(self._cluster.core.list_node).items
        names = {node.metadata.name for node in nodes}
        if self._allowed.node not in names:
            raise UpstreamError(f"the cluster has no node {self._allowed.node!r}")
        return sum(
            _is_ready(node) and not _is_closed(node)
            for node in nodes
            if node.metadata.name != self._allowed.node
        )


def _is_closed(node: Any) -> bool:
    return bool(node.spec.unschedulable)


def _is_ready(node: Any) -> bool:
    told = node.status.conditions or ()
    return any(one.type == "Ready" and one.status == "True" for one in told)
