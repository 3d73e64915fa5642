"""Alerting rules as Prometheus has them loaded, and the series behind an alert."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from pydantic import AwareDatetime, Field

from dashboards.console import person, ranges
from dashboards.console.answers import Answer, field, read
from dashboards.console.chart import Chart, Line
from dashboards.console.comparison import split
from dashboards.console.incidents import Alert, Incident
from dashboards.console.lights import Light
from dashboards.console.ranges import Span
from dashboards.console.units import measured_in
from dashboards.console.work import Action
from dashboards.spec import Level, Threshold
from watchkeeper.peers import Peer
from watchkeeper.prometheus import PrometheusClient, Series

BEFORE = timedelta(minutes=15)
AFTER = timedelta(minutes=5)
"""What is drawn around an incident: enough to see what was normal, and that it came back."""

POINTS = 240
LINES = 12
"""A chart with more lines than this is read by nobody."""


class Rule(Answer):
    """One alerting rule; ``duration`` is its ``for`` in seconds."""

    name: str
    query: str = ""
    type: str = ""
    state: str = "unknown"
    duration: float = 0.0
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    health: str = "unknown"
    last_error: str = Field(default="", alias="lastError")

    @property
    def light(self) -> Light:
        """How it stands: firing by its severity, and a rule that cannot be evaluated is no rule."""
        if self.health == "err":
            return Light.CRITICAL
        if self.state == "firing":
            severe = self.labels.get("severity") == "critical"
            return Light.CRITICAL if severe else Light.WARNING
        if self.state == "pending":
            return Light.WARNING
        return Light.GOOD if self.health == "ok" else Light.UNKNOWN


MODES = {
    "off": "It does nothing at all.",
    "observe": "It says what it would do, and does nothing.",
    "approve": "It asks a person for each action.",
    "auto": "It acts by itself within its limits, and checks that it helped.",
}
"""How far a remediation rule may go, mildest first."""


class Budget(Answer):
    """At most so many actions in a sliding window."""

    actions: int
    window_seconds: float


class RemediationRule(Answer):
    """One rule of remediation.yml, and who switched its mode."""

    name: str
    mode: str
    configured_mode: str = ""
    match: tuple[str, ...] = ()
    action: str = ""
    target: str = ""
    cooldown_seconds: float | None = None
    attempts: int | None = None
    budget: Budget | None = None
    tell: tuple[str, ...] = ()
    is_verified: bool = False
    switched_by: str | None = None
    switched_at: AwareDatetime | None = None
    reason: str | None = None

    def left(self, actions: Sequence[Action], *, now: datetime) -> int | None:
        """Return how many actions its budget still allows; None without a budget."""
        if self.budget is None:
            return None
        since = now - timedelta(seconds=self.budget.window_seconds)
        spent = sum(
            action.rule == self.name and action.claimed_at is not None and action.claimed_at > since
            for action in actions
        )
        return max(self.budget.actions - spent, 0)

    def last_acted(self, actions: Sequence[Action]) -> datetime | None:
        """Return when it was last let through its guards, as far as ``actions`` go back."""
        taken = (action.claimed_at for action in actions if action.rule == self.name)
        return max(filter(None, taken), default=None)

    @property
    def modes(self) -> dict[str, str]:
        """The modes it can be switched to; what runs must be verified, unless it only tells."""
        runs = () if self.is_verified or self.tell else ("approve", "auto")
        return {name: words for name, words in MODES.items() if name not in (self.mode, *runs)}


def remediation_rules(alerting: Peer) -> list[RemediationRule]:
    """Return the remediation rules in the order of their file."""
    found = field(alerting.get("/api/v1/rules"), "rules", part="alerting")
    return read(list[RemediationRule], found, part="alerting")


def switch_mode(alerting: Peer, name: str, mode: str, *, by: str, reason: str) -> None:
    """Switch a remediation rule's mode; alerting keeps who did and why."""
    body = {"mode": mode, **person.signature(by), "reason": reason}
    alerting.post(f"/api/v1/rules/{quote(name, safe='')}/mode", body)


class Group(Answer):
    """Rules evaluated together."""

    name: str = ""
    rules: tuple[Rule, ...] = ()


def alerting_rules(client: PrometheusClient) -> list[Rule]:
    """Return every alerting rule that is loaded."""
    data = client.get("/api/v1/rules", {"type": "alert"})
    groups = read(list[Group], field(data, "groups", part="prometheus"), part="prometheus")
    return [rule for group in groups for rule in group.rules]


def by_urgency(client: PrometheusClient) -> list[Rule]:
    """Return every alerting rule, those in trouble first."""
    return sorted(alerting_rules(client), key=lambda rule: -list(Light).index(rule.light))


def chart_of(
    client: PrometheusClient, alert: Alert, incident: Incident, *, now: datetime
) -> Chart | None:
    """Return what the alert's rule measured around the incident; None for a rule we do not know."""
    rule = next((rule for rule in alerting_rules(client) if rule.name == alert.name), None)
    if rule is None:
        return None
    sides = split(rule.query)
    start = incident.started_at - BEFORE
    end = min(incident.resolved_at + AFTER, now) if incident.resolved_at else now
    span = Span.between(start, end, points=POINTS)
    found = ranges.read(client, sides.measured, span)
    about = [one for one in found if _is_about(one, alert)] or found
    thresholds = () if sides.threshold is None else (Threshold(sides.threshold, Level.CRITICAL),)
    lines = tuple(Line(ranges.words_for(one.labels), span.align(one)) for one in about[:LINES])
    return Chart(span.timestamps(), lines, measured_in(sides.measured), thresholds)


def _is_about(series: Series, alert: Alert) -> bool:
    return all(
        alert.labels.get(name) == value
        for name, value in series.labels.items()
        if name != "__name__"
    )
