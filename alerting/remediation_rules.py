"""What remediation.yml may hold: which alert may cause which action, and under which limits."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from alerting.matchers import Matcher
from alerting.rule_limits import (
    BudgetSettings,
    CompensationSettings,
    ConditionSettings,
    PoolSettings,
)
from alerting.time_intervals import TimeInterval
from watchkeeper.configuration import DurationSeconds, ProblemAt, Secret, Settings


class Mode(StrEnum):
    """How far a rule may go."""

    OFF = "off"
    OBSERVE = "observe"
    """Decide and render, send nothing."""
    APPROVE = "approve"
    """A person releases each action."""
    AUTO = "auto"


class EndpointSettings(Settings):
    """Where calls go. It speaks ``docs/architecture.md``, "Actions"."""

    url: str
    signing_secret: Secret
    timeout_seconds: DurationSeconds = Field(default=10.0, gt=0, le=20, alias="timeout")
    deduplicates: bool = False
    """Whether the endpoint carries out one idempotency key only once, however often it is sent.
    Only then may a call that the endpoint says it never got be sent again."""
    stack_token: bool = False
    """Send this stack's own API token along: only for the endpoint that belongs to the stack."""


class CheckSettings(Settings):
    """One thing that must be true of fresh data for an action to count as a success.

    Every series ``query`` returns must lie within the bounds. An empty answer, NaN or infinity is
    never success; neither is data that ``fresh``, a plain selector, cannot show to be new.
    """

    query: str
    fresh: str
    means: str = ""
    """What it shows, in words for the incident's story; the query stands there otherwise."""
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _have_a_bound(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("expected above or below: a check needs a bound")
        return self


class VerificationSettings(Settings):
    """When an action has worked: all checks hold for N fresh samples in a row."""

    checks: tuple[CheckSettings, ...] = Field(min_length=1)
    settle_seconds: DurationSeconds = Field(default=10.0, ge=0, alias="settle")
    samples: int = Field(default=3, ge=1)
    every_seconds: DurationSeconds = Field(default=5.0, gt=0, alias="every")
    deadline_seconds: DurationSeconds = Field(default=180.0, gt=0, alias="deadline")

    @model_validator(mode="after")
    def _have_time(self) -> Self:
        needed = self.settle_seconds + self.samples * self.every_seconds
        if self.deadline_seconds < needed:
            raise ValueError(
                f"deadline of {self.deadline_seconds:g} s is too short: settling and "
                f"{self.samples} samples take {needed:g} s"
            )
        return self


INFORMING = frozenset({"notify-team", "notify-dba", "create-incident", "page-on-call"})
"""Actions that are messages: they go to receivers through the outbox, to no endpoint."""


class RuleSettings(Settings):
    """One alert to one action."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    match: tuple[Matcher, ...] = Field(min_length=1)
    action: str = Field(pattern=r"^[a-z0-9-]+$")
    target: str = ""
    """What it is done to; a message, which is about something, is about the alert by default."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    endpoint: str = ""
    tell: tuple[str, ...] = ()
    """The receivers of a message; who then hears how the incident goes on."""
    mode: Mode = Mode.OBSERVE
    cooldown_seconds: DurationSeconds = Field(default=600.0, ge=0, alias="cooldown")
    attempts: int = Field(default=1, ge=1)
    budget: BudgetSettings = BudgetSettings()
    target_budget: BudgetSettings = BudgetSettings()
    """What all rules together may do to one target."""
    pool: PoolSettings | None = None
    during: tuple[TimeInterval, ...] = ()
    """When it may act, in the words of ``time_intervals``; none given means always."""
    preconditions: tuple[ConditionSettings, ...] = ()
    expires_after_seconds: DurationSeconds = Field(
        default=120.0, gt=0, le=900, alias="expires_after"
    )
    run_time_seconds: DurationSeconds = Field(default=120.0, gt=0, alias="run_time")
    """How long the endpoint may work on it before its outcome counts as unknown."""
    verification: VerificationSettings | None = None
    compensation: CompensationSettings | None = None
    escalate_to: tuple[str, ...] = ()
    """Receivers who hear, beside those of the incident, when a person is needed."""

    @field_validator("mode", mode="before")
    @classmethod
    def _read_off(cls, value: object) -> object:
        return "off" if value is False else value  # YAML reads a bare off as false

    @property
    def informs(self) -> bool:
        """Whether its action is a message."""
        return self.action in INFORMING

    @property
    def may_act(self) -> bool:
        """Whether its mode may be one that acts: a message needs no verification."""
        return self.informs or self.verification is not None

    @model_validator(mode="after")
    def _go_somewhere(self) -> Self:
        alien = self._INFORMS_WITHOUT if self.informs else ("tell",)
        for name in alien:
            if getattr(self, name):
                raise ProblemAt(f"{self.action} has no {name}", name)
        for name in ("tell",) if self.informs else ("target", "endpoint"):
            if not getattr(self, name):
                raise ProblemAt(f"missing: {self.action} needs it", name)
        return self

    _INFORMS_WITHOUT: ClassVar = (
        "endpoint", "parameters", "verification", "compensation", "pool", "escalate_to",
    )  # fmt: skip

    @model_validator(mode="after")
    def _verify_what_runs(self) -> Self:
        if self.mode in (Mode.AUTO, Mode.APPROVE) and not self.may_act:
            raise ValueError(
                f"mode {self.mode} needs a verification: an unchecked action is a guess"
            )
        return self


class RemediationSettings(Settings):
    """All rules, the endpoints they use, and the budget they share."""

    endpoints: dict[str, EndpointSettings] = Field(default_factory=dict)
    budget: BudgetSettings = BudgetSettings(actions=10)
    rules: tuple[RuleSettings, ...] = ()

    @model_validator(mode="after")
    def _know_every_endpoint(self) -> Self:
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ProblemAt(f"rule names are given twice: {', '.join(twice)}", "rules")
        for index, rule in enumerate(self.rules):
            if not rule.informs:
                self._know_endpoint(rule.endpoint, "rules", index, "endpoint")
            if rule.compensation and rule.compensation.endpoint:
                place = ("rules", index, "compensation", "endpoint")
                self._know_endpoint(rule.compensation.endpoint, *place)
        return self

    def _know_endpoint(self, name: str, *path: str | int) -> None:
        if name not in self.endpoints:
            known = ", ".join(sorted(self.endpoints)) or "none"
            raise ProblemAt(f"no endpoint {name}; endpoints here: {known}", *path)

    def rule(self, name: str) -> RuleSettings | None:
        """Return the rule of that name, or None when it was removed."""
        return next((rule for rule in self.rules if rule.name == name), None)
