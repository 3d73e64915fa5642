"""Has a logger of an instrumented Python process say more for a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remediation.actuators import Done, Tell, in_silence
from remediation.actuators.parameters import shorter, whole_numbers
from remediation.control_page import ControlPage
from remediation.deed import deed
from remediation.targets.python_process import LoggerTarget
from watchkeeper.errors import UpstreamError
from watchkeeper.instrument import control


class SetLogLevel:
    """To the level that ``endpoint.yml`` names; ``seconds`` ends it sooner."""

    def __init__(self, target: str, allowed: LoggerTarget, parameters: Mapping[str, Any]) -> None:
        self.lasts_seconds = shorter(allowed.lasts, whole_numbers(parameters, "seconds"))
        self._target = target
        self._logger, self._level = allowed.logger, allowed.level
        self._title = f"logger {allowed.logger or 'root'} of {target}"
        self._page = ControlPage(target, allowed, control.LOG_LEVEL)

    def preview(self) -> Done:
        """Say what the level is now and what it would be."""
        return Done(f"would set {self._title} to {self._level}", self._page.look(**self._named()))

    def state(self, kept: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the level it had before us, and ours."""
        now = self._page.look(**self._named())["level"]
        is_ours = kept is not None and now == kept["set"]
        return {"before": kept["before"] if kept and is_ours else now, "set": self._level}

    def perform(self, tell: Tell = in_silence) -> Done:
        """Set it; the process says what holds from then on."""
        tell("setting the level")
        with deed():
            found = self._page.act(level=self._level, **self._named())
        if found.get("in_force") != self._level:
            raise UpstreamError(f"{self._title} is at {found.get('in_force')} after it was set")
        return Done(f"set {self._title} to {self._level} for {self.lasts_seconds:g} s", found)

    def revert(self, state: Mapping[str, Any]) -> Done:
        """Put the former level back, unless somebody has set another since."""
        now = self._page.look(**self._named())["level"]
        if now != state["set"]:
            return Done(f"left {self._title} as it is: it is at {now}")
        found = self._page.act(level=state["before"], **self._named())
        return Done(f"put {self._title} back to {state['before']}", found)

    def _named(self) -> dict[str, str]:
        return {"logger": self._logger}
