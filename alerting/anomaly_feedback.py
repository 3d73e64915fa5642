"""Hands a person's "not a problem" on to the anomaly service, through the outbox like a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from alerting.notifiers.notifier import Message, NotDelivered
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.peers import Peer

RECEIVER = "anomaly-feedback"
"""The name of this built-in receiver in deliveries, metrics and timelines; no other may have it."""

NOT_A_PROBLEM = "not-a-problem"


def of_detectors(incident: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """Return the labels of the incident's alerts that a detector raised."""
    labels = (alert["labels"] for alert in incident["alerts"])
    return [one for one in labels if one.get("alertname") == "Anomaly" and one.get("query")]


def episode_of(
    labels: Mapping[str, str], episodes: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Return the newest episode of the series an alert is about, or None.

    Args:
        labels: the alert's: the series' own and some more.
        episodes: as the anomaly service lists them, newest first.
    """
    meant = [one for one in episodes if one["labels"].items() <= labels.items()]
    return max(meant, key=lambda one: len(one["labels"]), default=None)


@dataclass(frozen=True, slots=True)
class AnomalyFeedback:
    """Dismisses the episode behind each alert, once however often it is sent."""

    peer: Peer
    pace_seconds: ClassVar[float] = 0.0
    at_once: ClassVar[int] = 1
    takes_chart: ClassVar[bool] = False

    def send(self, message: Message, *, now: datetime) -> None:  # noqa: ARG002  # the seam's signature
        """Hand the word on; raise NotDelivered for the first episode that is not dismissed."""
        for labels in of_detectors(message.incident):
            try:
                self._dismiss(labels, message.incident["said"])
            except UpstreamError as error:
                is_refused = error.status is not None and 400 <= error.status < 500
                raise NotDelivered(
                    str(error), reason=error.reason, is_permanent=is_refused
                ) from None

    def _dismiss(self, labels: Mapping[str, str], said: Mapping[str, str]) -> None:
        found = self.peer.get("/api/v1/episodes", query=labels["query"])["episodes"]
        episode = episode_of(labels, found)
        if episode is None:
            text = f"the anomaly service knows no episode of {dict(labels)} any more"
            raise NotDelivered(text, reason=Reason.BAD_ANSWER, is_permanent=True)
        if episode["ending"] != NOT_A_PROBLEM:
            word = {"kind": NOT_A_PROBLEM, "episode": episode["id"]}
            body = {**word, "by": said["by"], "reason": said["text"]}
            self.peer.post("/api/v1/feedback", body)
