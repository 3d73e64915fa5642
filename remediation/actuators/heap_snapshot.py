"""Has an instrumented Python process say what fills its memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remediation.actuators import Done, Tell, in_silence
from remediation.actuators.parameters import whole_numbers
from remediation.control_page import ControlPage
from remediation.targets.python_process import PythonTarget
from watchkeeper.instrument import control

NAMED_TYPES = 3


class HeapSnapshot:
    """Counts its objects by type; changes nothing, and stands in the incident as evidence."""

    def __init__(self, target: str, allowed: PythonTarget, parameters: Mapping[str, Any]) -> None:
        whole_numbers(parameters)
        self._target = target
        self._page = ControlPage(target, allowed, control.HEAP_SNAPSHOT)

    def preview(self) -> Done:
        """Say how many objects would be counted."""
        return Done(f"would count the objects of {self._target}", self._page.look())

    def perform(self, tell: Tell = in_silence) -> Done:
        """Have them counted, and name the largest types."""
        tell("counting")
        found = self._page.act()
        largest = ", ".join(
            f"{row['count']} {row['type']} ({row['bytes'] / 1e6:.1f} MB)"
            for row in found["types"][:NAMED_TYPES]
        )
        return Done(f"{self._target} holds {found['objects']} objects; most: {largest}", found)
