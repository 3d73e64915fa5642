"""Slack through its Web API: one message an incident, kept up to date, and a thread below it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from alerting.notifiers import slack_message
from alerting.notifiers.http_answer import post
from alerting.notifiers.notifier import Message, NotDelivered, ReceiverSettings
from watchkeeper.configuration import Secret
from watchkeeper.errors import Reason
from watchkeeper.outbound import EgressPolicy

API_URL = "https://slack.com/api"

PASSING_ERRORS = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable",
     "request_timeout", "message_limit_exceeded"}
)  # fmt: skip
"""Errors that say "not now" (api.slack.com/methods/chat.postMessage); the others say "never"."""


class Options(ReceiverSettings):
    """A Slack channel and the token of a bot that may write there (scope ``chat:write``)."""

    kind: Literal["slack_api"]
    token: Secret
    channel: str
    """Its id, such as C0123456789; a name works for posting, and not for updating."""
    url: str = API_URL
    """Another only for tests."""

    @property
    def is_configured(self) -> bool:
        """Whether a token is set."""
        return bool(self.token)


@dataclass(frozen=True, slots=True)
class SlackApi:
    """Posts the first message, then updates it and says what is new in its thread."""

    options: Options
    policy: EgressPolicy
    pace_seconds: ClassVar[float] = 1.0
    """Slack takes about one message a second for each channel."""
    at_once: ClassVar[int] = 1
    takes_chart: ClassVar[bool] = False

    def send(self, message: Message, *, now: datetime) -> str | None:
        """Tell the message; raise NotDelivered unless Slack said ``ok`` to each of its calls.

        Returns:
            The timestamp that names the first message of the incident, for those that follow.
        """
        content = slack_message.render(message)
        if not message.thread:
            return str(self._call("chat.postMessage", content, now)["ts"])
        # First the update, which may be repeated; the reply, which may not, is last.
        self._call("chat.update", {**content, "ts": message.thread}, now)
        reply = {"text": content["text"], "thread_ts": message.thread}
        self._call("chat.postMessage", reply, now)
        return None

    def _call(self, method: str, content: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        body = json.dumps({"channel": self.options.channel, **content}, ensure_ascii=False)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Authorization": f"Bearer {self.options.token.reveal()}",
        }
        url = f"{self.options.url.rstrip('/')}/{method}"
        answer = post(url, body.encode(), headers, policy=self.policy, now=now)
        try:
            found: dict[str, Any] = json.loads(answer.body)
            is_ok = found["ok"]
        except (ValueError, KeyError, TypeError):
            text = f"{method} was answered without Slack's JSON"
            raise NotDelivered(text, reason=Reason.BAD_ANSWER) from None
        if not is_ok:
            error = str(found.get("error", "no reason"))
            raise NotDelivered(
                f"{method}: {error}", reason=Reason.BAD_ANSWER,
                is_permanent=error not in PASSING_ERRORS,
            )  # fmt: skip
        return found


def build(options: Options, policy: EgressPolicy) -> SlackApi:
    """Return the notifier of a Slack channel with a token."""
    return SlackApi(options, policy)
