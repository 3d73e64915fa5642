"""What a game day breaks, and what must then happen: ``gameday.yml``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from watchkeeper.configuration import DurationSeconds, Settings, load
from watchkeeper.errors import ConfigError, Problem


class Step(Settings):
    """One way to do something to the watched system: an HTTP call, or a signal to a process.

    Attributes:
        url: call it with ``method``; any 2xx answer is success.
        kill: the supervised process to end, by name, with ``signal`` (no clean-up, no grace).
        restart: the supervised process to end and start again.
        scale: the supervised process to run ``instances`` of.
    """

    method: Literal["POST", "DELETE", "PUT"] = "POST"
    url: str | None = None
    kill: str | None = None
    signal: Literal["KILL", "TERM", "STOP"] = "KILL"
    restart: str | None = None
    scale: str | None = None
    instances: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = (self.url, self.kill, self.restart, self.scale)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("expected exactly one of url, kill, restart and scale")
        return self


class Fault(Settings):
    """One fault, how to make and mend it, and what the stack has to do about it.

    Attributes:
        description: what breaks, in one sentence.
        clear: steps that leave the system as it was before, whatever the remediation did.
        alerts: names of alerts, any of which counts as having found it.
        forbidden_alerts: names that must not fire while it lasts.
        action: the remediation that must mend it, or None when a person has to.
    """

    description: str
    inject: Step
    clear: tuple[Step, ...] = ()
    alerts: tuple[str, ...] = Field(min_length=1)
    forbidden_alerts: tuple[str, ...] = ()
    action: str | None = None
    detect_within: DurationSeconds = Field(default=120.0, gt=0)
    recover_within: DurationSeconds = Field(default=180.0, gt=0)


class GamedayPlan(Settings):
    """Every fault by name, in the order a full game day injects them.

    Attributes:
        services: those the faults are injected into; only alerts of these count.
        ready_queries: anomaly queries that must be ready before anything is broken.
        first_quiet: watched for false alarms before the first fault.
        quiet: the same before every later fault.
        warm_up_within: how long detectors may take to become ready.
    """

    services: tuple[str, ...] = ()
    ready_queries: tuple[str, ...] = ()
    first_quiet: DurationSeconds = Field(default=60.0, ge=0)
    quiet: DurationSeconds = Field(default=20.0, ge=0)
    warm_up_within: DurationSeconds = Field(default=600.0, gt=0)
    faults: dict[str, Fault] = Field(default_factory=dict)

    def chosen(self, names: tuple[str, ...]) -> dict[str, Fault]:
        """Return the named faults in the order asked for; all of them for no names.

        Raises:
            ConfigError: a name is not in the plan.
        """
        unknown = [name for name in names if name not in self.faults]
        if unknown:
            message = f"no such fault; expected one of {', '.join(self.faults) or 'none at all'}"
            raise ConfigError([Problem("--faults", 1, name, message) for name in unknown])
        return {name: self.faults[name] for name in names or tuple(self.faults)}


def load_plan(path: Path) -> GamedayPlan:
    """Return the plan in ``path``; raise ConfigError naming every problem."""
    return load(path, GamedayPlan)
