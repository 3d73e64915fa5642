"""Runs a program that `endpoint.yml` names, without a shell."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from remediation.actuators import Done, Tell, in_silence
from remediation.program import run
from remediation.refusal import unacceptable
from remediation.targets.command import CommandTarget
from watchkeeper.errors import UpstreamError


class RunCommand:
    """The parameters are the values of the command's placeholders, each of them needed."""

    def __init__(self, target: str, allowed: CommandTarget, parameters: Mapping[str, Any]) -> None:
        self._target = target
        self._allowed = allowed
        self._arguments = allowed.arguments(_checked(allowed, parameters))

    def preview(self) -> Done:
        """Say what would be run."""
        return Done(f"would run {shlex.join(self._arguments)}", {"arguments": self._arguments})

    def perform(self, tell: Tell = in_silence) -> Done:
        """Run it; exit code 0 is success."""
        tell(f"running {shlex.join(self._arguments)}")
        ended = run(
            self._arguments,
            directory=self._allowed.directory,
            environment=self._allowed.environment,
            user=self._allowed.user,
            limit_seconds=self._allowed.time_limit,
            keep_bytes=self._allowed.maximum_output_bytes,
        )
        if ended.exit_code != 0:
            last = (ended.output.strip().splitlines() or ["it said nothing"])[-1]
            raise UpstreamError(f"{self._target} ended with exit code {ended.exit_code}: {last}")
        return Done(f"ran {self._target}", {"arguments": self._arguments, "output": ended.output})


def _checked(allowed: CommandTarget, parameters: Mapping[str, Any]) -> dict[str, str]:
    for name in parameters.keys() | allowed.parameters.keys():
        if name not in allowed.parameters:
            expected = ", ".join(allowed.parameters) or "none"
            raise unacceptable(f"parameters.{name}: unknown; expected {expected}")
        value, rule = parameters.get(name), allowed.parameters[name]
        if not isinstance(value, str) or not rule.allows(value):
            raise unacceptable(
                f"parameters.{name}: expected text that matches {rule.pattern!r} and does not "
                "begin with a dash"
            )
    return dict(parameters)
