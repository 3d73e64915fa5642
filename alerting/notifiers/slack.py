"""Slack through an incoming webhook."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from alerting.notifiers import slack_message
from alerting.notifiers.http_answer import SHOWN_CHARACTERS, post
from alerting.notifiers.notifier import Message, NotDelivered, ReceiverSettings
from watchkeeper.configuration import Secret
from watchkeeper.errors import Reason
from watchkeeper.outbound import EgressPolicy


class Options(ReceiverSettings):
    """A Slack channel, addressed by its incoming webhook, which is a secret."""

    kind: Literal["slack"]
    webhook_url: Secret

    @property
    def is_configured(self) -> bool:
        """Whether a webhook URL is set."""
        return bool(self.webhook_url)


@dataclass(frozen=True, slots=True)
class Slack:
    """Posts Block Kit messages; Slack confirms with 200 and the body ``ok``."""

    options: Options
    policy: EgressPolicy
    pace_seconds: ClassVar[float] = 1.0
    """Slack takes about one message a second for each channel."""
    at_once: ClassVar[int] = 1
    takes_chart: ClassVar[bool] = False

    def send(self, message: Message, *, now: datetime) -> None:
        """Post the message; raise NotDelivered unless Slack said ``ok``."""
        self._post(slack_message.render(message), now)

    def send_digest(self, messages: Sequence[Message], *, now: datetime) -> None:
        """Post one message about all; raise NotDelivered unless Slack said ``ok``."""
        self._post(slack_message.render_digest(messages), now)

    def _post(self, content: Mapping[str, Any], now: datetime) -> None:
        body = json.dumps(content, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        url = self.options.webhook_url.reveal()
        answer = post(url, body, headers, policy=self.policy, now=now)
        if answer.text.strip() != "ok":
            # A proxy or a captive page answered: nobody at Slack has seen the message.
            raise NotDelivered(
                f"answered {answer.status} without 'ok': {answer.text[:SHOWN_CHARACTERS]}",
                reason=Reason.BAD_ANSWER,
            )


def build(options: Options, policy: EgressPolicy) -> Slack:
    """Return the notifier of a Slack receiver."""
    return Slack(options, policy)
