"""Has an instrumented Python process collect its garbage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remediation.actuators import Done, Tell, in_silence
from remediation.actuators.parameters import whole_numbers
from remediation.control_page import ControlPage
from remediation.deed import deed
from remediation.targets.python_process import PythonTarget
from watchkeeper.instrument import control


class TriggerGc:
    """Through the process' own control page: a full collection, which stops it for a moment."""

    def __init__(self, target: str, allowed: PythonTarget, parameters: Mapping[str, Any]) -> None:
        whole_numbers(parameters)
        self._target = target
        self._page = ControlPage(target, allowed, control.GARBAGE_COLLECTION)

    def preview(self) -> Done:
        """Say how many objects would be looked through."""
        return Done(f"would collect garbage in {self._target}", self._page.look())

    def perform(self, tell: Tell = in_silence) -> Done:
        """Have it collect, and say what that brought."""
        tell("collecting")
        with deed():
            found = self._page.act()
        return Done(
            f"collected {found['unreachable']} unreachable object(s) in {self._target}", found
        )
