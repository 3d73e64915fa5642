"""Has an instrumented Python process collect its garbage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from remediation.actuators import Done, Tell, in_silence
from remediation.actuators.parameters import whole_numbers
from remediation.targets.python_process import PythonTarget
from watchkeeper import outbound
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.instrument import control

THIS_MACHINE = outbound.EgressPolicy.parse(["127.0.0.1"])


class TriggerGc:
    """Through the process' own control page: a full collection, which stops it for a moment."""

    def __init__(self, target: str, allowed: PythonTarget, parameters: Mapping[str, Any]) -> None:
        whole_numbers(parameters)
        self._target = target
        self._allowed = allowed

    def preview(self) -> Done:
        """Say how many objects would be looked through."""
        found = self._ask("GET")
        return Done(f"would collect garbage in {self._target}", found)

    def perform(self, tell: Tell = in_silence) -> Done:
        """Have it collect, and say what that brought."""
        tell("collecting")
        found = self._ask("POST")
        return Done(
            f"collected {found['unreachable']} unreachable object(s) in {self._target}", found
        )

    def _ask(self, method: str) -> dict[str, Any]:
        answer = outbound.send(
            method,
            f"http://127.0.0.1:{self._allowed.port}{control.PATH}",
            policy=THIS_MACHINE,
            headers={"Authorization": f"Bearer {self._allowed.token.reveal()}"},
            timeout_seconds=self._allowed.time_limit,
        )
        if answer.status != 200:
            raise UpstreamError(
                f"{self._target} answered {answer.status}: {answer.text[:200]}",
                reason=Reason.AUTHENTICATION if answer.status == 401 else Reason.HTTP_STATUS,
                status=answer.status,
            )
        try:
            found = json.loads(answer.body)
        except ValueError:
            found = None
        if not isinstance(found, dict) or not found.keys() & {"unreachable", "tracked"}:
            raise UpstreamError(
                f"{self._target}: the answer is none of a control page", reason=Reason.BAD_ANSWER
            )
        return found
