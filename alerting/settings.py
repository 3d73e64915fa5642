"""What alerting.yml may hold."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from alerting import anomaly_feedback
from alerting.matchers import Matcher
from alerting.notifiers import NOTIFIERS, options_of
from alerting.notifiers.notifier import ReceiverSettings
from alerting.time_intervals import NamedInterval
from watchkeeper import addresses
from watchkeeper.configuration import DurationSeconds, ProblemAt, Secret, Settings
from watchkeeper.outbound import EgressPolicy
from watchkeeper.rate_limit import Rates

if TYPE_CHECKING:
    AnyReceiver = ReceiverSettings
else:
    # One model for each kind of receiver, chosen by its `kind`, so that errors name the right keys.
    AnyReceiver = Annotated[
        reduce(or_, (options_of(kind) for kind in NOTIFIERS)),
        Field(discriminator="kind"),
    ]


class EgressSettings(Settings):
    """Which addresses beside public ones may be called."""

    allow: tuple[str, ...] = ()
    """Networks such as ``10.0.0.0/8``, addresses, or exact host names."""

    @property
    def policy(self) -> EgressPolicy:
        """The policy for ``watchkeeper.outbound``."""
        return EgressPolicy.parse(self.allow)


class RouteSettings(Settings):
    """Who is told of what: the first branch that matches, else the receivers named here."""

    match: tuple[Matcher, ...] = ()
    receivers: tuple[str, ...] = ()
    routes: tuple[RouteSettings, ...] = ()
    continue_: bool = Field(default=False, alias="continue")
    mute_time_intervals: tuple[str, ...] = ()
    """Names of ``time_intervals`` in which nothing is told here; it is told when they are over."""
    active_time_intervals: tuple[str, ...] = ()
    """Names of ``time_intervals`` outside of which nothing is told here."""
    repeat_interval_seconds: DurationSeconds | None = Field(
        default=None, ge=60, alias="repeat_interval"
    )
    """What still fires and nobody has taken is told again here so long after the last word.
    Without one it is the parent's; at the root, nothing is repeated."""
    group_wait_seconds: DurationSeconds | None = Field(
        default=None, ge=0, le=3600, alias="group_wait"
    )
    """The first message of an incident waits here so long for what joins it, and is not sent when
    all is over by then. Without one it is the parent's; at the root, nothing waits."""


class InhibitSettings(Settings):
    """While a source alert fires, matching targets that agree in the ``equal`` labels are muted."""

    source_matchers: tuple[Matcher, ...] = Field(min_length=1)
    target_matchers: tuple[Matcher, ...] = Field(min_length=1)
    equal: tuple[str, ...] = ()


class MaintenanceSettings(Settings):
    """Alerts that are expected at known times."""

    name: str
    match: tuple[Matcher, ...] = Field(min_length=1)
    during: tuple[str, ...] = Field(min_length=1)
    """Names of ``time_intervals``."""


class FlappingSettings(Settings):
    """An alert that changes so often within so long is believed to have ended only when it stays
    away that long."""

    changes: int = Field(default=6, ge=2)
    within_seconds: DurationSeconds = Field(default=300.0, gt=0, alias="within")


class StormSettings(Settings):
    """When so many messages to one receiver wait at once, they are told as one digest."""

    messages: int = Field(default=10, ge=2)
    digest_of: int = Field(default=100, ge=2, le=500)
    """The most that one digest holds."""


class EscalationSettings(Settings):
    """Who is called when nobody has taken an incident for so long."""

    after_seconds: DurationSeconds = Field(gt=0, alias="after")
    receivers: tuple[str, ...] = Field(min_length=1)
    severities: tuple[Literal["info", "warning", "critical"], ...] = ("critical",)


class HeartbeatSettings(Settings):
    """Where a sign of life goes while all is well, such as a check of healthchecks.io."""

    url: Secret
    every_seconds: DurationSeconds = Field(default=60.0, ge=1, alias="every")


class WebhookInSettings(Settings):
    """Who may send Alertmanager's webhook."""

    signing_secret: Secret | None = None
    """With one, every body must be signed with it as Standard Webhooks has it."""


class RateLimitSettings(Settings):
    """How often one caller may ask: a person's token, or an address without one.

    The stack's own token is not limited, and where alerts come in nothing is.
    """

    requests_per_minute: float | None = Field(default=3000.0, gt=0)
    wrong_tokens_per_minute: float | None = Field(default=30.0, gt=0)
    """From one address, tokens that are not valid; null for any number."""

    @property
    def rates(self) -> Rates:
        """The same for ``watchkeeper.rate_limit``."""
        return Rates(self.requests_per_minute, self.wrong_tokens_per_minute)


class RetentionSettings(Settings):
    """How long is kept what nobody needs any more to work."""

    incidents_seconds: DurationSeconds = Field(default=90 * 86400.0, ge=86400, alias="incidents")
    """Resolved ones, with their timelines, messages and actions.
    Never so short that a cooldown or a budget is forgotten with them."""
    alerts_seconds: DurationSeconds = Field(default=15 * 86400.0, gt=0, alias="alerts")
    """Label sets that do not fire."""
    changes_seconds: DurationSeconds = Field(default=86400.0, ge=3600, alias="changes")
    """What flapping is judged by."""
    audit_seconds: DurationSeconds | None = Field(default=None, gt=0, alias="audit")
    """Kept for ever unless a time is given."""


class AlertingSettings(Settings):
    """The alert router: how alerts are grouped and who is told."""

    group_by: tuple[str, ...] = ("service",)
    resolve_timeout_seconds: DurationSeconds = Field(default=300.0, gt=0, alias="resolve_timeout")
    update_interval_seconds: DurationSeconds = Field(default=30.0, ge=0, alias="update_interval")
    egress: EgressSettings = EgressSettings()
    storm: StormSettings = StormSettings()
    flapping: FlappingSettings = FlappingSettings()
    database: Secret | None = None
    """The URL of a PostgreSQL that replicas share; without it a file of this process. Read when it
    starts."""
    retention: RetentionSettings = RetentionSettings()
    rate_limits: RateLimitSettings = RateLimitSettings()
    inhibit_rules: tuple[InhibitSettings, ...] = ()
    time_intervals: tuple[NamedInterval, ...] = ()
    maintenance: tuple[MaintenanceSettings, ...] = ()
    escalation: tuple[EscalationSettings, ...] = ()
    webhook_in: WebhookInSettings = WebhookInSettings()
    heartbeat: HeartbeatSettings | None = None
    receivers: tuple[AnyReceiver, ...] = ()
    route: RouteSettings = RouteSettings()
    console_url: str = Field(default_factory=lambda: addresses.url_of("console"))

    @model_validator(mode="after")
    def _know_every_receiver(self) -> Self:
        names = [receiver.name for receiver in self.receivers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ProblemAt(f"receiver names are given twice: {', '.join(twice)}", "receivers")
        if anomaly_feedback.RECEIVER in names:
            raise ProblemAt(f"{anomaly_feedback.RECEIVER} is built in", "receivers")
        known = ", ".join(sorted(names)) or "none"
        for path, name in [*_named(self.route, ("route",)), *self._escalated()]:
            if name not in names:
                raise ProblemAt(f"no receiver {name}; receivers here: {known}", *path)
        return self

    def _escalated(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        for index, level in enumerate(self.escalation):
            for at, name in enumerate(level.receivers):
                yield ("escalation", index, "receivers", at), name

    @model_validator(mode="after")
    def _climb_in_order(self) -> Self:
        delays = [level.after_seconds for level in self.escalation]
        if delays != sorted(delays):
            raise ProblemAt("expected the levels in the order of their delays", "escalation")
        return self

    @model_validator(mode="after")
    def _know_every_interval(self) -> Self:
        known = [interval.name for interval in self.time_intervals]
        for path, name in [*self._windows(), *_intervals(self.route, ("route",))]:
            if name not in known:
                message = f"no time interval {name}; known here: {', '.join(known) or 'none'}"
                raise ProblemAt(message, *path)
        return self

    def _windows(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        for index, window in enumerate(self.maintenance):
            for at, name in enumerate(window.during):
                yield ("maintenance", index, "during", at), name

    def interval(self, name: str) -> NamedInterval:
        """Return the time interval of that name; validation has seen that it exists."""
        return next(found for found in self.time_intervals if found.name == name)

    def receiver(self, name: str) -> ReceiverSettings | None:
        """Return the receiver of that name, or None."""
        return next((found for found in self.receivers if found.name == name), None)

    def link(self, incident_id: str) -> str:
        """Return where a person sees an incident."""
        return f"{self.console_url.rstrip('/')}/incidents/{incident_id}"


def _named(
    route: RouteSettings, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for index, name in enumerate(route.receivers):
        yield (*path, "receivers", index), name
    for index, branch in enumerate(route.routes):
        yield from _named(branch, (*path, "routes", index))


def _intervals(
    route: RouteSettings, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for key in ("mute_time_intervals", "active_time_intervals"):
        for index, name in enumerate(getattr(route, key)):
            yield (*path, key, index), name
    for index, branch in enumerate(route.routes):
        yield from _intervals(branch, (*path, "routes", index))
