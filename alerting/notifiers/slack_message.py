"""What a Slack message says, within Slack's limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alerting.alert import SEVERITIES
from alerting.notifiers.notifier import Message
from alerting.notifiers.wording import (
    actions_taken,
    facts,
    headline,
    how_it_differs,
    latest,
    runbooks,
    what_is_known,
)

HEADER_CHARACTERS = 150
SECTION_CHARACTERS = 3000
MAX_BLOCKS = 50
"""Slack's Block Kit limits (api.slack.com/reference/block-kit/blocks)."""

SHOWN_ALERTS = 5
"""More than a person reads on a phone; the console has all of them."""

SHOWN_IN_DIGEST = 30
SHOWN_HEADLINE_CHARACTERS = 200
"""Together below 13,000 characters, where users report that Slack begins to refuse messages."""

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def render(message: Message) -> dict[str, Any]:
    """Return the JSON body of an incoming webhook call: fallback text and blocks."""
    incident = message.incident
    title = headline(message)
    blocks = [
        {"type": "header", "text": _plain(title, HEADER_CHARACTERS)},
        _section(_facts(message)),
        *(_section(text) for text in _alert_texts(incident)),
        *(_section(text) for text in _action_texts(incident)),
        _section(_links(incident)),
        _context(f"{incident['id']} · delivery {message.delivery_id}"),
    ]
    return {"text": _escape(title), "blocks": blocks[:MAX_BLOCKS]}


def render_reply(message: Message) -> str:
    """Return what is said in the thread below the incident's message: what is new, in short."""
    news = "" if message.event == "action" else latest(message)  # its headline says it
    return _escape("\n".join([headline(message), *([news] if news else [])]))


def render_digest(messages: Sequence[Message]) -> dict[str, Any]:
    """Return the body of one call that tells of many incidents, the gravest first."""
    gravest_first = sorted(
        messages, key=lambda message: -SEVERITIES.index(message.incident["severity"])
    )
    title = f"⛈ {len(messages)} messages at once: {_counts(messages)}"
    lines = [_digest_line(message) for message in gravest_first[:SHOWN_IN_DIGEST]]
    if len(messages) > len(lines):
        lines.append(f"_and {len(messages) - len(lines)} more in the console_")
    blocks = [
        {"type": "header", "text": _plain(title, HEADER_CHARACTERS)},
        *(_section(line) for line in lines),
        _context(f"digest of delivery {messages[0].delivery_id} and {len(messages) - 1} more"),
    ]
    return {"text": _escape(title), "blocks": blocks}


def _digest_line(message: Message) -> str:
    words = _escape(_cut(headline(message), SHOWN_HEADLINE_CHARACTERS))
    return f"{words} <{_address(message.incident['url'])}|{message.incident['id']}>"


def _counts(messages: Sequence[Message]) -> str:
    counts = Counter(message.event for message in messages)
    return ", ".join(f"{count} {event}" for event, count in counts.most_common())


def _facts(message: Message) -> str:
    lines = [" · ".join(f"*{name}* {_escape(value)}" for name, value in facts(message))]
    news = latest(message)
    return "\n".join([*lines, *([f"*Latest* {_escape(news)}"] if news else [])])


def _alert_texts(incident: Mapping[str, Any]) -> Iterator[str]:
    firing = [alert for alert in incident["alerts"] if alert["status"] == "firing"]
    shown = (firing or incident["alerts"])[:SHOWN_ALERTS]
    for alert in shown:
        annotations = alert["annotations"]
        lines = [f"*{_escape(annotations.get('summary') or alert['labels'].get('alertname', ''))}*"]
        if annotations.get("description"):
            lines.append(_escape(annotations["description"]))
        differs = how_it_differs(annotations)
        if differs:
            lines.append(_escape(differs))
        lines += [_escape(line) for line in what_is_known(annotations)]
        yield "\n".join(lines)
    left_out = len(firing or incident["alerts"]) - len(shown)
    if left_out:
        yield f"_and {left_out} more in the console_"


def _action_texts(incident: Mapping[str, Any]) -> Iterator[str]:
    done = actions_taken(incident)
    if done:
        yield "*What was done*\n" + "\n".join(f"• {_escape(line)}" for line in done)


def _links(incident: Mapping[str, Any]) -> str:
    links = [f"<{_address(incident['url'])}|Open the incident>"]
    links += [_runbook(place) for place in runbooks(incident)]
    return " · ".join(links)


def _runbook(place: str) -> str:
    is_address = place.startswith(("http://", "https://"))
    return f"<{_address(place)}|Runbook>" if is_address else f"Runbook: {_escape(place)}"


def _escape(text: str) -> str:
    """Return ``text`` so that Slack shows it and finds no mention or link in it."""
    return text.translate(_ESCAPES)


def _address(url: str) -> str:
    return _escape(url).replace("|", "%7C")


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": _cut(text, limit), "emoji": True}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, SECTION_CHARACTERS)}}


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": _escape(text)}]}


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
