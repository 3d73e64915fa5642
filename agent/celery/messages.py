"""How Kombu keeps messages in Redis, as far as watching queues needs it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

from agent.broker import moment

PRIORITY_STEPS = (0, 3, 6, 9)
PRIORITY_SEPARATOR = "\x06\x16"
"""A queue is a list for each priority step, 0 without a suffix."""

CONTROL_CHANNEL = "/{db}.celery.pidbox"
"""Every worker with remote control subscribes to it."""

EVENT_CHANNELS = "/{db}.celeryev/*"
"""Workers publish their events there, one channel for each type."""

UNACKNOWLEDGED = "unacked"
UNACKNOWLEDGED_SINCE = "unacked_index"
"""Messages taken and not acknowledged, and when each was taken, Unix seconds."""

PUBLISHED_AT = "watchkeeper_published_at"
"""Header that ``watchkeeper.instrument`` adds to each message: Unix seconds."""


def keys_of(queue: str) -> list[str]:
    """Return the lists a queue is kept in, most urgent first."""
    return [f"{queue}{PRIORITY_SEPARATOR}{step}" if step else queue for step in PRIORITY_STEPS]


def oldest_age_seconds(messages: Sequence[bytes], now: float) -> float | None:
    """Return the age of the oldest of ``messages`` (one a priority step) at Unix time ``now``.

    0 when there is none; None when one does not say when it was published. A clock that runs ahead
    of ours gives a negative age, which is told as it is.
    """
    published = [_published_at(message) for message in messages]
    if any(moment is None for moment in published):
        return None
    return now - min(moment for moment in published if moment is not None) if published else 0.0


def _published_at(message: bytes) -> float | None:
    try:
        return moment(json.loads(message)["headers"][PUBLISHED_AT])
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


def events_in(message: bytes) -> Iterator[dict[str, Any]]:
    """Yield the events in a published message: one, or several that a worker sends together.

    Raises:
        ValueError: it is no message of events.
    """
    try:
        envelope = json.loads(message)
        body: Any = envelope["body"]
        if envelope["properties"].get("body_encoding") == "base64":
            body = base64.b64decode(body)
        content = json.loads(body)
    except (TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(f"no message of events: {error}") from None
    for event in content if isinstance(content, list) else [content]:
        if not (isinstance(event, dict) and "type" in event):
            raise ValueError("no event")
        yield event


def _message_to_nobody() -> str:
    body = {"method": "ping", "arguments": {}, "destination": ["nobody"]}
    return json.dumps(
        {
            "body": base64.b64encode(json.dumps(body).encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {},
            "properties": {
                "body_encoding": "base64",
                "delivery_info": {"exchange": "celery.pidbox", "routing_key": ""},
                "delivery_mode": 1,
                "delivery_tag": "watchkeeper",
                "priority": 0,
            },
        }
    )


MESSAGE_TO_NOBODY = _message_to_nobody()
"""A remote-control message as Kombu writes it, for a worker name that nobody has."""
