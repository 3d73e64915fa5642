"""Hands a person's "not a problem" on to the anomaly service, through the outbox like a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from alerting.notifiers.notifier import Message, NotDelivered
from watchkeeper.errors import UpstreamError
from watchkeeper.peers import Peer

RECEIVER = "anomaly-feedback"
"""The name of this built-in receiver in deliveries, metrics and timelines; no other may have it."""

PATH = "/api/v1/feedback"


def concerns(incident: Mapping[str, Any]) -> bool:
    """Return whether a detector raised any alert of the incident."""
    return bool(verdicts(incident, by="", text=""))


def verdicts(incident: Mapping[str, Any], *, by: str, text: str) -> list[dict[str, Any]]:
    """Return one feedback call for each of the incident's alerts that a detector raised."""
    return [
        {
            "kind": "not-a-problem",
            "query": alert["labels"]["query"],
            "labels": alert["labels"],
            "from": alert["starts_at"],
            "to": alert["ends_at"],
            "by": by,
            "text": text,
            "incident_id": incident["id"],
        }
        for alert in incident["alerts"]
        if alert["labels"].get("alertname") == "Anomaly" and alert["labels"].get("query")
    ]


@dataclass(frozen=True, slots=True)
class AnomalyFeedback:
    """Posts each verdict; the anomaly service takes the same one twice as one."""

    peer: Peer
    pace_seconds: ClassVar[float] = 0.0
    at_once: ClassVar[int] = 1

    def send(self, message: Message, *, now: datetime) -> None:  # noqa: ARG002  # the seam's signature
        """Hand on every verdict; raise NotDelivered for the first that is not taken."""
        said = message.incident["said"]
        for verdict in verdicts(message.incident, by=said["by"], text=said["text"]):
            try:
                self.peer.post(PATH, verdict)
            except UpstreamError as error:
                is_refused = error.status is not None and 400 <= error.status < 500
                raise NotDelivered(
                    str(error), reason=error.reason, is_permanent=is_refused
                ) from None
