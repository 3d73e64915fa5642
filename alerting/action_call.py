"""The remediation endpoint's HTTP: what is sent, and what its answers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from alerting import signing
from alerting.actions import Action
from alerting.remediation_rules import EndpointSettings
from watchkeeper import addresses
from watchkeeper.clock import format_rfc3339
from watchkeeper.errors import NeverSent, UpstreamError
from watchkeeper.foreign_text import storable
from watchkeeper.outbound import Answer, EgressPolicy, send

SHOWN_CHARACTERS = 300


class Outcome(StrEnum):
    """What is known of a call or of the action it asked for."""

    ACCEPTED = "accepted"
    """The endpoint has it and may be working on it."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """The endpoint did not do it, or tried and could not."""
    INTERRUPTED = "interrupted"
    """The endpoint was stopped in the middle: how much was done is unknown."""
    NOT_SENT = "not_sent"
    """No byte reached the endpoint."""
    ABSENT = "absent"
    """The endpoint has never seen this key."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reply:
    """An outcome and a sentence about it."""

    outcome: Outcome
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", storable(self.text))


def render(
    action: Action,
    *,
    incident: Mapping[str, str],
    fencing_token: int,
    now: datetime,
    expires_at: datetime,
) -> str:
    """Return the exact body of the call; ``incident`` has id, title and url."""
    return json.dumps(
        {
            "type": "remediation.action",
            "timestamp": format_rfc3339(now),
            "data": {
                "action": action.action,
                "target": action.target,
                "parameters": action.parameters,
                "incident": dict(incident),
                "alerts": [
                    {"labels": action.alert_labels, "annotations": action.alert_annotations}
                ],
                "idempotency_key": action.idempotency_key,
                "fencing_token": fencing_token,
                "expires_at": format_rfc3339(expires_at),
                "dry_run": False,
            },
        },
        ensure_ascii=False,
    )


def call(
    endpoint: EndpointSettings, action: Action, *, policy: EgressPolicy, now: datetime
) -> Reply:
    """Send the action's body, signed for this moment, and say what the answer means."""
    body = action.body or ""
    headers = signing.headers(
        endpoint.signing_secret.reveal(), action.idempotency_key, body, now=now
    )
    url = f"{endpoint.url.rstrip('/')}/api/v1/actions"
    try:
        answer = _send("POST", url, endpoint, headers, policy, body.encode())
    except NeverSent as error:
        return Reply(Outcome.NOT_SENT, str(error))
    except UpstreamError as error:
        return Reply(Outcome.UNKNOWN, str(error))
    if 200 <= answer.status < 300:
        return Reply(Outcome.ACCEPTED, "the endpoint accepted it")
    text = f"the endpoint answered {answer.status}: {answer.text[:SHOWN_CHARACTERS]}"
    # "Not now" and server errors say nothing about whether it was begun; ask before repeating.
    is_unclear = answer.status in (408, 425, 429) or answer.status >= 500
    return Reply(Outcome.UNKNOWN if is_unclear else Outcome.FAILED, text)


def ask(endpoint: EndpointSettings, key: str, *, policy: EgressPolicy) -> Reply:
    """Ask the endpoint what became of the action with this key."""
    url = f"{endpoint.url.rstrip('/')}/api/v1/actions/{key}"
    try:
        answer = _send("GET", url, endpoint, {}, policy, None)
    except UpstreamError as error:
        return Reply(Outcome.UNKNOWN, str(error))
    if answer.status == 404:
        return Reply(Outcome.ABSENT, "the endpoint has never seen it")
    if answer.status != 200:
        return Reply(Outcome.UNKNOWN, f"the endpoint answered {answer.status} when asked")
    return _reported(answer)


def _reported(answer: Answer) -> Reply:
    try:
        report = json.loads(answer.body)
        outcome = _OUTCOMES[report["state"]]
    except (ValueError, KeyError, TypeError):
        return Reply(Outcome.UNKNOWN, "the endpoint's answer cannot be understood")
    return Reply(outcome, _sentence(report))


_OUTCOMES = {
    "accepted": Outcome.ACCEPTED,
    "running": Outcome.ACCEPTED,
    "succeeded": Outcome.SUCCEEDED,
    "failed": Outcome.FAILED,
    "interrupted": Outcome.INTERRUPTED,
}


def _sentence(report: Mapping[str, Any]) -> str:
    text = report.get("error") or report.get("summary") or report["state"]
    return str(text)[:SHOWN_CHARACTERS]


def _send(
    method: str,
    url: str,
    endpoint: EndpointSettings,
    headers: Mapping[str, str],
    policy: EgressPolicy,
    body: bytes | None,
) -> Answer:
    token = addresses.api_token() if endpoint.stack_token else None
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    return send(
        method,
        url,
        body=body,
        headers={**headers, **authorization},
        policy=policy,
        timeout_seconds=endpoint.timeout_seconds,
    )
