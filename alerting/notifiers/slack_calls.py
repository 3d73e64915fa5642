"""One call of Slack's Web API: how it is authorised, and what its answers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from alerting.notifiers.http_answer import post
from alerting.notifiers.notifier import NotDelivered
from watchkeeper.configuration import Secret
from watchkeeper.errors import Reason
from watchkeeper.outbound import Answer, EgressPolicy

API_URL = "https://slack.com/api"

PASSING_ERRORS = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable",
     "request_timeout", "message_limit_exceeded"}
)  # fmt: skip
"""Errors that say "not now" (api.slack.com/methods/chat.postMessage); the others say "never"."""


@dataclass(frozen=True, slots=True)
class SlackCalls:
    """Calls methods in the name of a bot."""

    url: str
    token: Secret
    policy: EgressPolicy

    def as_json(self, method: str, content: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Call a method of the ``chat`` family; raise NotDelivered unless Slack said ``ok``."""
        body = json.dumps(content, ensure_ascii=False).encode()
        return self._call(method, body, "application/json; charset=utf-8", now, 15.0)

    def as_form(
        self, method: str, content: Mapping[str, str], now: datetime, *, timeout_seconds: float
    ) -> dict[str, Any]:
        """Call a method of the ``files`` family, which takes no JSON; raise NotDelivered also."""
        form = "application/x-www-form-urlencoded"
        return self._call(method, urlencode(content).encode(), form, now, timeout_seconds)

    def _call(
        self, method: str, body: bytes, content_type: str, now: datetime, timeout_seconds: float
    ) -> dict[str, Any]:
        headers = {"Content-Type": content_type, "Authorization": f"Bearer {self.token.reveal()}"}
        url = f"{self.url.rstrip('/')}/{method}"
        answer = post(
            url, body, headers, policy=self.policy, now=now, timeout_seconds=timeout_seconds
        )
        return _read(method, answer)


def _read(method: str, answer: Answer) -> dict[str, Any]:
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
