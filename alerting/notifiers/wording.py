"""The sentences of a message, the same for every kind of receiver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerting.notifiers.notifier import Message
from watchkeeper.clock import parse_rfc3339

_OPENINGS = {
    "opened": "🔴 {severity}: {title}",
    "updated": "🟠 still {severity}: {title}",
    "resolved": "🟢 resolved: {title}",
    "action": "🔧 {title}",
    "acknowledged": "👋 {acknowledged_by} has it: {title}",
    "escalated": "🚨 needs a person: {title}",
}


def headline(message: Message) -> str:
    """Return the one line that must be enough on a locked phone."""
    incident = message.incident
    opening = _OPENINGS[message.event]
    return opening.format(
        severity=incident["severity"],
        title=incident["title"],
        acknowledged_by=incident.get("acknowledged_by", ""),
    )


def how_it_differs(annotations: Mapping[str, str]) -> str:
    """Return how the value differs from normal, or nothing when the alert does not know."""
    actual, expected = annotations.get("actual"), annotations.get("expected")
    if not actual or not expected:
        return ""
    text = f"now {actual}, expected {expected}"
    lower, upper = annotations.get("lower"), annotations.get("upper")
    if lower and upper:
        text += f" (normal {lower} to {upper})"
    if annotations.get("score"):
        text += f", score {annotations['score']}"
    return text


_KNOWN = {
    "contributors": "Mostly",
    "moved_along": "Moved with it",
    "last_change": "Changed before it",
    "similar": "Looks like",
}
"""What the anomaly service says beside the numbers, in the order of a reader's questions."""


def what_is_known(annotations: Mapping[str, str]) -> list[str]:
    """Return a line for each thing known about why it may be: what moved, what was changed."""
    return [
        f"{word}: {annotations[name]}" for name, word in _KNOWN.items() if annotations.get(name)
    ]


def actions_taken(incident: Mapping[str, Any]) -> list[str]:
    """Return a line for each action: what, on what, and how far it got or whether it worked."""
    return [
        f"{_described(action)} ({action['mode']}): " + (action["summary"] or action["state"])
        for action in incident.get("actions", [])
    ]


def _described(action: Mapping[str, Any]) -> str:
    is_message = action.get("endpoint") == ""  # it goes to receivers, and is about something
    return f"{action['action']} {'about' if is_message else 'on'} {action['target']}"


def duration_text(incident: Mapping[str, Any]) -> str:
    """Return how long a resolved incident lasted, such as ``4 min 10 s``."""
    started, resolved = (
        parse_rfc3339(incident["started_at"]),
        parse_rfc3339(incident["resolved_at"]),
    )
    seconds = max(0, round((resolved - started).total_seconds()))
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
