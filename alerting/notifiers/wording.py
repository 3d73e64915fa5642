"""The sentences of a message, the same for every kind of receiver."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from alerting.approval import VALID_SECONDS
from alerting.notifiers.notifier import Message
from watchkeeper.clock import parse_rfc3339

_OPENINGS = {
    "opened": "🔴 {severity}: {title}",
    "updated": "🟠 still {severity}: {title}",
    "resolved": "🟢 resolved: {title}",
    "action": "🔧 {news}{title}",
    "acknowledged": "👋 {acknowledged_by} has it: {title}",
    "escalated": "🚨 needs a person: {title}",
}


NEWS_CHARACTERS = 120
"""Of what became of an action, in a headline: with the title it fits into a subject."""

SHOWN_RUNBOOKS = 5

_OUR_RUNBOOK = re.compile(r"docs/runbooks/([A-Za-z0-9_-]+)\.md")
"""What the shipped rules name; the console shows them as pages."""

_ABOUT_MESSAGES = frozenset({"notified", "notify-failed"})


def headline(message: Message) -> str:
    """Return the one line that must be enough on a locked phone."""
    incident = message.incident
    opening = _OPENINGS[message.event]
    news = _newest(incident).get("text", "")
    return opening.format(
        severity=incident["severity"],
        title=incident["title"],
        acknowledged_by=incident.get("acknowledged_by", ""),
        news=f"{_cut(news, NEWS_CHARACTERS)} · " if news else "",
    )


def facts(message: Message) -> Iterator[tuple[str, str]]:
    """Yield by name what a reader asks first: where, how bad, since when, who has it."""
    incident = message.incident
    yield "Service", incident["service"]
    yield "Severity", incident["severity"]
    started_at = parse_rfc3339(incident["started_at"])
    if incident["resolved_at"]:
        yield "Since", _moment_text(started_at)
        yield "Lasted", duration_text(incident)
    else:
        # A message may be worded long after it was due, and then tells what was since.
        newest = _newest(incident).get("at")
        told_at = max(message.at, parse_rfc3339(newest)) if newest else message.at
        minutes = int((told_at - started_at).total_seconds() // 60)
        age = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
        yield "Since", _moment_text(started_at) + (f", for {age}" if minutes > 0 else "")
    if incident.get("acknowledged_by"):
        yield "Taken by", incident["acknowledged_by"]


def latest(message: Message) -> str:
    """Return what happened last, which is why this is told; nothing where the headline says it."""
    entry = _newest(message.incident)
    if not entry or message.event in ("opened", "resolved"):
        return ""
    return f"{entry['text']} ({_moment_text(parse_rfc3339(entry['at']))})"


def _newest(incident: Mapping[str, Any]) -> Mapping[str, Any]:
    # That an action which is a message itself was done is no news to who reads that message.
    messages = {one["idempotency_key"] for one in incident.get("actions", []) if _is_message(one)}
    story = (
        one
        for one in reversed(incident["timeline"])
        if one["kind"] not in _ABOUT_MESSAGES
        and one.get("detail", {}).get("idempotency_key") not in messages
    )
    return next(story, {})


def runbooks(incident: Mapping[str, Any]) -> list[str]:
    """Return where the runbooks of its alerts are read: our own on the console, others as named."""
    console = incident["url"].removesuffix(f"/incidents/{incident['id']}")
    annotations = (alert["annotations"] for alert in incident["alerts"])
    named = [found.get("runbook_url") or found.get("runbook") or "" for found in annotations]
    ours = {place: _OUR_RUNBOOK.fullmatch(place) for place in named if place}
    places = [f"{console}/runbooks/{known[1]}" if known else place for place, known in ours.items()]
    return places[:SHOWN_RUNBOOKS]


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


_UNDER_WAY = {"ready": "planned", "claimed": "about to be done"}
"""States that have no words of their own yet; the guards of a plan have not been asked."""


def actions_taken(incident: Mapping[str, Any]) -> list[str]:
    """Return a line for each action: what, on what, when, and how far it got or if it worked."""
    return [_action_line(action) for action in incident.get("actions", [])]


def _action_line(action: Mapping[str, Any]) -> str:
    done_at = action.get("dispatched_at")
    when = f", {_moment_text(parse_rfc3339(done_at))}" if done_at else ""
    outcome = action["summary"] or _under_way(action)
    return f"{_described(action)} ({action['mode']}{when}): {outcome}"


def _under_way(action: Mapping[str, Any]) -> str:
    state = str(action["state"])
    if state == "proposed":
        until = parse_rfc3339(action["created_at"]) + timedelta(seconds=VALID_SECONDS)
        return f"waits for approval until {until:%H:%M:%S} UTC"
    if state == "ready" and action["mode"] == "observe":
        return "only watched: nothing will be done"
    return _UNDER_WAY.get(state, state)


def _described(action: Mapping[str, Any]) -> str:
    return f"{action['action']} {'about' if _is_message(action) else 'on'} {action['target']}"


def _is_message(action: Mapping[str, Any]) -> bool:
    return action.get("endpoint") == ""  # it goes to receivers, and is about something


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


def _moment_text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
