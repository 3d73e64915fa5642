"""Gives a server behind HAProxy another state or weight for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from remediation.actuators import Done, Tell, in_silence
from remediation.deed import aftermath, deed
from remediation.haproxy import RuntimeSocket, Server
from remediation.refusal import unacceptable
from remediation.targets.haproxy import BalancedTarget
from watchkeeper.errors import Reason, Refused, UpstreamError

STATES = ("ready", "drain", "maint")

WEIGHTS = range(257)
"""HAProxy's own bounds."""


class SetServer:
    """``state`` (ready, drain, maint), ``weight`` (0 to 256), ``seconds`` to end it sooner."""

    def __init__(self, target: str, allowed: BalancedTarget, parameters: Mapping[str, Any]) -> None:
        self._state, self._weight, seconds = _read(parameters)
        self.lasts_seconds: float = allowed.lasts if seconds is None else seconds
        if not 1 <= self.lasts_seconds <= allowed.lasts:
            raise unacceptable(f"parameters.seconds: expected from 1 to {allowed.lasts:g}")
        self._target = target
        self._allowed = allowed
        self._proxy = RuntimeSocket(allowed.socket, timeout_seconds=allowed.time_limit)

    def preview(self) -> Done:
        """Say what it is now and what it would be."""
        now = self._look()
        return Done(f"would set {self._target} from {_told(now)} to {_told(self._wanted(now))}")

    def state(self, kept: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return what it was before us, what we set, and in which process of HAProxy."""
        now = self._look()
        is_ours = kept is not None and [now.state, now.weight] == kept["set"]
        before = kept["before"] if kept is not None and is_ours else [now.state, now.weight]
        wanted = self._wanted(now)
        return {
            "before": before,
            "set": [wanted.state, wanted.weight],
            "pid": self._proxy.process_id(),
        }

    def perform(self, tell: Tell = in_silence) -> Done:
        """Set it, and read it back."""
        before = self._look()
        wanted = self._wanted(before)
        self._require_others(before, wanted)
        tell(f"setting {_told(wanted)}")
        self._set(wanted.state, wanted.weight)
        return Done(f"set {self._target} from {_told(before)} to {_told(wanted)}")

    def revert(self, state: Mapping[str, Any]) -> Done:
        """Set what it was before, unless it is no longer what we set."""
        now = self._look()
        if [now.state, now.weight] != state["set"]:
            return Done(f"left {self._target} as it is: {_told(now)}")
        self._set(*state["before"])
        return Done(f"set {self._target} back to {_told(self._look())}")

    def hold(self, state: Mapping[str, Any]) -> dict[str, Any] | None:
        """Set it again when a reload of HAProxy has undone it; return the new state to keep.

        What somebody else has set in the same process is left alone.
        """
        pid = self._proxy.process_id()
        if pid == state["pid"]:
            return None
        self._set(*state["set"])
        return {**state, "pid": pid}

    def _look(self) -> Server:
        found = self._proxy.servers(self._allowed.backend).get(self._allowed.server)
        if found is None:
            where = f"{self._allowed.backend}/{self._allowed.server}"
            raise UpstreamError(f"HAProxy knows no server {where}")
        return found

    def _wanted(self, now: Server) -> Server:
        weight = now.weight if self._weight is None else self._weight
        return replace(now, state=self._state or now.state, weight=weight)

    def _require_others(self, before: Server, wanted: Server) -> None:
        if not before.takes_traffic or wanted.takes_traffic:
            return
        servers = self._proxy.servers(self._allowed.backend).values()
        others = sum(one.takes_traffic for one in servers if one.name != before.name)
        if others < self._allowed.minimum_ready:
            raise Refused(
                f"{others} other server(s) of {self._allowed.backend} take traffic; "
                f"{self._allowed.minimum_ready} must, before {self._target} is taken out"
            )

    def _set(self, state: str, weight: int) -> None:
        with deed():
            self._proxy.set(self._allowed.backend, self._allowed.server, state=state, weight=weight)
        with aftermath():
            now = self._look()
        if (now.state, now.weight) != (state, weight):
            text = f"{self._target} is {_told(now)} after setting {state}, {weight}"
            raise UpstreamError(text, reason=Reason.BAD_ANSWER)


def _read(parameters: Mapping[str, Any]) -> tuple[str | None, int | None, int | None]:
    unknown = parameters.keys() - {"state", "weight", "seconds"}
    if unknown or not parameters.keys() & {"state", "weight"}:
        raise unacceptable("parameters: expected state or weight or both, and maybe seconds")
    state, weight = parameters.get("state"), parameters.get("weight")
    if "state" in parameters and state not in STATES:
        raise unacceptable(f"parameters.state: expected one of {', '.join(STATES)}")
    if "weight" in parameters and (type(weight) is not int or weight not in WEIGHTS):
        raise unacceptable("parameters.weight: expected a whole number from 0 to 256")
    seconds = parameters.get("seconds")
    if "seconds" in parameters and type(seconds) is not int:
        raise unacceptable("parameters.seconds: expected a whole number")
    return state, weight, seconds


def _told(server: Server) -> str:
    return f"{server.state} with weight {server.weight}"
