"""PagerDuty through its Events API, version 2."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from alerting.notifiers.http_answer import post
from alerting.notifiers.notifier import Message, ReceiverSettings
from alerting.notifiers.wording import (
    actions_taken,
    how_it_differs,
    latest,
    runbooks,
    what_is_known,
)
from watchkeeper.configuration import Secret
from watchkeeper.outbound import EgressPolicy

ENQUEUE_URL = "https://events.pagerduty.com/v2/enqueue"

# Limits of the Events API v2 (developer.pagerduty.com, "Events API v2 Overview").
SUMMARY_CHARACTERS = 1024
BODY_BYTES = 512 * 1024
EVENTS_PER_MINUTE = 120

_SEVERITIES = {"critical": "critical", "warning": "warning", "info": "info", "none": "info"}
_EVENT_ACTIONS = {"resolved": "resolve", "acknowledged": "acknowledge"}
SHOWN_ALERTS = 20


class Options(ReceiverSettings):
    """A PagerDuty service, addressed by its integration (routing) key."""

    kind: Literal["pagerduty"]
    routing_key: Secret
    url: str = ENQUEUE_URL
    """Another only for the EU region or for tests."""

    @property
    def is_configured(self) -> bool:
        """Whether a routing key is set."""
        return bool(self.routing_key)


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """Triggers and resolves one PagerDuty alert for each incident; 202 confirms an event."""

    options: Options
    policy: EgressPolicy
    pace_seconds: ClassVar[float] = 60 / (EVENTS_PER_MINUTE - 10)
    """Below the limit, for PagerDuty counts events it refuses as well."""
    at_once: ClassVar[int] = 1
    takes_chart: ClassVar[bool] = False

    def send(self, message: Message, *, now: datetime) -> None:
        """Enqueue the event of the message; raise NotDelivered unless PagerDuty took it."""
        body = render(message, self.options.routing_key.reveal())
        headers = {"Content-Type": "application/json"}
        post(self.options.url, body, headers, policy=self.policy, now=now)


def render(message: Message, routing_key: str) -> bytes:
    """Return the event; what exceeds the size limit is shed, custom details first."""
    incident = message.incident
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": _EVENT_ACTIONS.get(message.event, "trigger"),
        "dedup_key": incident["id"],
    }
    if message.event not in _EVENT_ACTIONS:
        event |= {
            "client": "Watchkeeper",
            "client_url": incident["url"],
            "links": _links(incident),
            "payload": {
                "summary": _summary(message),
                "source": incident["service"],
                "severity": _SEVERITIES[incident["severity"]],
                "timestamp": incident["started_at"],
                "component": incident["service"],
                "custom_details": _details(message),
            },
        }
    body = json.dumps(event, ensure_ascii=False).encode()
    if len(body) > BODY_BYTES and "payload" in event:
        event["payload"]["custom_details"].pop("alerts")  # what weighs most and is read last
        body = json.dumps(event, ensure_ascii=False).encode()
        if len(body) > BODY_BYTES:
            event["payload"]["custom_details"] = {"delivery": message.delivery_id}
            event["links"] = event["links"][:1]
            body = json.dumps(event, ensure_ascii=False).encode()
    return body


def _summary(message: Message) -> str:
    opening = "needs a person: " if message.event == "escalated" else ""
    return f"{opening}{message.incident['title']}"[:SUMMARY_CHARACTERS]


def _details(message: Message) -> dict[str, Any]:
    incident = message.incident
    found = {"latest": latest(message), "taken by": incident.get("acknowledged_by", "")}
    return {
        "delivery": message.delivery_id,
        **{name: text for name, text in found.items() if text},
        "alerts": [_alert(alert) for alert in incident["alerts"][:SHOWN_ALERTS]],
        "what was done": actions_taken(incident),
        "runbooks": runbooks(incident),
    }


def _alert(alert: Mapping[str, Any]) -> dict[str, Any]:
    annotations = alert["annotations"]
    lines = {
        "what": annotations.get("summary", ""),
        "details": annotations.get("description", ""),
        "differs": how_it_differs(annotations),
        "why it may be": "; ".join(what_is_known(annotations)),
    }
    return {"labels": alert["labels"], **{name: text for name, text in lines.items() if text}}


def _links(incident: Mapping[str, Any]) -> list[dict[str, str]]:
    places = [place for place in runbooks(incident) if place.startswith(("http://", "https://"))]
    return [
        {"href": incident["url"], "text": "Open the incident"},
        *({"href": place, "text": "Runbook"} for place in places),
    ]


def build(options: Options, policy: EgressPolicy) -> PagerDuty:
    """Return the notifier of a PagerDuty receiver."""
    return PagerDuty(options, policy)
