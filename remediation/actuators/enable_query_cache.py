"""Switches on the query cache of an application that looks at a switch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remediation.actuators import Done, Tell, in_silence
from remediation.actuators.parameters import shorter, whole_numbers
from remediation.cache_server import connected
from remediation.targets.switch import SwitchTarget
from watchkeeper.errors import UpstreamError


class EnableQueryCache:
    """By a key that the server itself takes away after its time, whoever lives or dies till then.

    ``seconds`` ends it sooner.
    """

    def __init__(self, target: str, allowed: SwitchTarget, parameters: Mapping[str, Any]) -> None:
        self.lasts_seconds = shorter(allowed.lasts, whole_numbers(parameters, "seconds"))
        self._target = target
        self._allowed = allowed
        self._value = allowed.value.encode()

    def preview(self) -> Done:
        """Say whether it is on already."""
        is_on = self._found() is not None
        return Done(f"would switch on the query cache of {self._target}", {"is_on": is_on})

    def state(self, kept: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return whether it was on before us."""
        return dict(kept) if kept else {"was_on": self._found() is not None}

    def perform(self, tell: Tell = in_silence) -> Done:
        """Set the key, and read it back; one that somebody has set for good is left as it is."""
        tell("switching it on")
        key, milliseconds = self._allowed.key, round(self.lasts_seconds * 1000)
        with connected(self._allowed.redis) as client:
            if client.exists(key) and client.ttl(key) == -1:
                return Done(f"the query cache of {self._target} is on already, without an end")
            client.set(key, self._value, px=milliseconds)
            if client.get(key) != self._value:
                raise UpstreamError(f"the switch {key!r} is not what was set")
        return Done(f"switched on the query cache of {self._target} for {self.lasts_seconds:g} s")

    def revert(self, state: Mapping[str, Any]) -> Done:
        """Switch it off, unless it was on before or somebody has set it for good since."""
        key = self._allowed.key
        with connected(self._allowed.redis) as client:
            if not client.exists(key):
                return Done(f"the query cache of {self._target} is off already")
            if state["was_on"] or client.ttl(key) == -1:
                return Done(f"left the query cache of {self._target} on: it is not ours")
            client.delete(key)
        return Done(f"switched off the query cache of {self._target}")

    def _found(self) -> Any:
        with connected(self._allowed.redis) as client:
            return client.get(self._allowed.key)
