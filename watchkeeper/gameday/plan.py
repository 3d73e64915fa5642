"""What a game day breaks, and what must then happen: ``gameday.yml``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

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


def _as_expected_alert(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class ExpectedAlert(Settings):
    """An alert that finds a fault: its name and, where that says too little, some of its labels.

    In YAML the plain name will do.
    """

    name: str
    labels: dict[str, str] = Field(default_factory=dict)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether an alert of these labels is the one that is expected."""
        wanted = {"alertname": self.name, **self.labels}
        return wanted.items() <= labels.items()


class Fault(Settings):
    """One fault, how to make and mend it, and what the stack has to do about it.

    Attributes:
        description: what breaks, in one sentence.
        clear: steps that leave the system as it was before, whatever the remediation did.
        alerts: any of these counts as having found it.
        forbidden_alerts: names that must not fire while it lasts.
        action: the remediation that must mend it, or None when a person has to.
        target: what that action must have been done to; anything for None.
    """

    description: str
    inject: Step
    clear: tuple[Step, ...] = ()
    alerts: tuple[Annotated[ExpectedAlert, BeforeValidator(_as_expected_alert)], ...] = Field(
        min_length=1
    )
    forbidden_alerts: tuple[str, ...] = ()
    action: str | None = None
    target: str | None = None
    detect_within: DurationSeconds = Field(default=120.0, gt=0)
    recover_within: DurationSeconds = Field(default=180.0, gt=0)

    def is_found_by(self, labels: Mapping[str, str]) -> bool:
        """Return whether an alert of these labels has found it."""
        return any(alert.matches(labels) for alert in self.alerts)

    def is_mended_by(self, action: Mapping[str, Any]) -> bool:
        """Return whether a verified action, as the timeline tells of it, is the expected one."""
        is_target = self.target is None or action.get("target") == self.target
        return action.get("action") == self.action and is_target


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
