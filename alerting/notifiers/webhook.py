"""Any program, told by a signed Standard Webhook."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from alerting import signing
from alerting.notifiers.http_answer import post
from alerting.notifiers.notifier import Message, ReceiverSettings
from watchkeeper.clock import format_rfc3339
from watchkeeper.configuration import Secret
from watchkeeper.outbound import EgressPolicy


class Options(ReceiverSettings):
    """A URL and the secret its owner checks the signature with."""

    kind: Literal["webhook"]
    url: str
    signing_secret: Secret

    @property
    def is_configured(self) -> bool:
        """Whether messages can be signed."""
        return bool(self.signing_secret)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts the incident as JSON; any 2xx answer confirms it."""

    options: Options
    policy: EgressPolicy
    pace_seconds: ClassVar[float] = 0.0
    at_once: ClassVar[int] = 16
    takes_chart: ClassVar[bool] = False

    def send(self, message: Message, *, now: datetime) -> None:
        """Post the message, signed for this moment; raise NotDelivered unless answered 2xx."""
        text = json.dumps(body(message), ensure_ascii=False)
        secret = self.options.signing_secret.reveal()
        headers = signing.headers(secret, message.delivery_id, text, now=now)
        post(self.options.url, text.encode(), headers, policy=self.policy, now=now)


def body(message: Message) -> dict[str, Any]:
    """Return what is posted: the whole incident, for a program to make of it what it wants."""
    return {
        "type": f"incident.{message.event}",
        "timestamp": format_rfc3339(message.at),
        "data": {"incident": dict(message.incident)},
    }


def build(options: Options, policy: EgressPolicy) -> Webhook:
    """Return the notifier of a webhook receiver."""
    return Webhook(options, policy)
