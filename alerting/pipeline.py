"""The way of an alert from its arrival to the messages and actions it causes.

The stages run in this order inside one transaction: either everything an alert causes is on disk,
or the client is told that nothing is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import Protocol

from sqlalchemy.engine import Connection

from alerting.alert import Alert
from alerting.remediation_rules import RemediationSettings
from alerting.settings import AlertingSettings
from alerting.transitions import Transition

STAGES = (
    "alerting.stages.flap:Flap",
    "alerting.stages.deduplicate:Deduplicate",
    "alerting.stages.inhibit:Inhibit",
    "alerting.stages.silence:Silence",
    "alerting.stages.maintenance:Maintenance",
    "alerting.stages.route_times:RouteTimes",
    "alerting.stages.hold_back:HoldBack",
    "alerting.stages.group:Group",
    "alerting.stages.incident:Incident",
    "alerting.stages.propose:Propose",
    "alerting.stages.route:Route",
    "alerting.stages.notify:Notify",
)
"""The order that matters; a new stage is one file and one line here."""


class Event(StrEnum):
    """What happened to an incident that people are told of."""

    OPENED = "opened"
    UPDATED = "updated"
    RESOLVED = "resolved"
    ACTION = "action"
    """An action of ours ended, well or badly."""
    ESCALATED = "escalated"
    """A person is needed: what we could do did not help, or its outcome is unknown."""
    ACKNOWLEDGED = "acknowledged"
    """A person has taken it."""
    NOT_A_PROBLEM = "not-a-problem"
    """For the anomaly service only: a person says there was nothing to tell."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One thing that happened to one incident, with the transitions behind it."""

    incident_id: str
    event: Event
    transitions: tuple[Transition, ...] = ()
    receivers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """What flows through the stages; each returns a new one."""

    alerts: Sequence[Alert] = ()
    is_from_client: bool = True
    """False for alerts from the database that are only looked at again."""
    transitions: Sequence[Transition] = ()
    groups: dict[str, list[Transition]] = field(default_factory=dict)
    occurrences: Sequence[Occurrence] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """What every stage may use: the open transaction, the time, and the configuration in force."""

    connection: Connection
    now: datetime
    settings: AlertingSettings
    remediation: RemediationSettings


class Stage(Protocol):
    """One step of the pipeline."""

    def run(self, batch: Batch, work: Work) -> Batch:
        """Return the batch for the next stage, having written what this one decided."""


@cache
def stages() -> tuple[Stage, ...]:
    """Return one instance of every stage in order; they keep no state."""
    found = []
    for path in STAGES:
        module, _, name = path.partition(":")
        found.append(getattr(import_module(module), name)())
    return tuple(found)


def process(alerts: Sequence[Alert], work: Work, *, is_from_client: bool = True) -> Batch:
    """Run ``alerts`` through all stages inside the caller's transaction."""
    batch = Batch(alerts, is_from_client)
    for stage in stages():
        batch = stage.run(batch, work)
    return batch
