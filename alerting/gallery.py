"""Renders every message as its reader gets it, for people to look at.

    python -m alerting.gallery docs/messages

Every kind of receiver tells the same three stories of ``gallery_examples``.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alerting.chart import Points, draw
from alerting.gallery_examples import FIX_FAILED, PUT_RIGHT, UNTAKEN
from alerting.notifiers import email_message, pagerduty, slack_message, webhook
from alerting.notifiers.notifier import Message

AT = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
_TAKEN = {
    "acknowledged_by": "ana",
    "timeline": [
        {"at": "2026-01-05T09:30:00.000Z", "kind": "acknowledged", "text": "ana has taken it"},
    ],
}
_OVER = {**_TAKEN, "status": "resolved", "resolved_at": "2026-01-05T09:34:10.000Z"}


def messages() -> dict[str, Message]:
    """Return an example of each thing people are told, by what it is."""
    return {
        "opened": _message("opened", {**PUT_RIGHT, "actions": [], "timeline": []}, AT),
        "action": _message("action", PUT_RIGHT, AT),
        "acknowledged": _message("acknowledged", {**PUT_RIGHT, **_TAKEN}, AT),
        "resolved": _message("resolved", {**PUT_RIGHT, **_OVER}, AT),
        "fix-failed": _message("escalated", FIX_FAILED, AT.replace(hour=2, minute=20)),
        "untaken": _message("escalated", UNTAKEN, AT.replace(hour=11, minute=10, second=5)),
    }


def _message(event: str, incident: Mapping[str, Any], at: datetime) -> Message:
    chart = example_chart() if event == "opened" else b""
    return Message(f"msg_{event}", event, incident, at, chart=chart)


def example_chart() -> bytes:
    """Return the picture that goes with the example: an hour, the last ten minutes unusual."""
    minutes = range(60)
    usual = [0.34 + 0.06 * math.sin(minute / 7) for minute in minutes]
    actual = [value + (2.0 if minute >= 50 else 0.02) for minute, value in enumerate(usual)]
    return draw(
        str(PUT_RIGHT["title"]),
        Points(
            [(AT - timedelta(minutes=60 - minute)).timestamp() for minute in minutes],
            actual, usual, [value - 0.13 for value in usual], [value + 0.18 for value in usual],
        ),
    )  # fmt: skip


def render() -> dict[str, str]:
    """Return the text files by name."""
    found = {}
    for name, message in messages().items():
        found[f"email-{name}.txt"] = (
            f"Subject: {email_message.subject(message)}\n\n{email_message.text(message)}\n"
        )
        found[f"slack-{name}.txt"] = _as_read(slack_message.render(message))
        event = json.loads(pagerduty.render(message, "(the routing key)"))
        found[f"pagerduty-{name}.json"] = _indented(event)
        page = email_message.html(message)
        found[f"email-{name}.html"] = page.replace(f"cid:{email_message.CHART_ID}", "chart.png")
    found["webhook-fix-failed.json"] = _indented(webhook.body(messages()["fix-failed"]))
    return found


def _indented(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _as_read(content: Mapping[str, Any]) -> str:
    """Return the words of Slack's blocks in the order a reader meets them."""
    lines = []
    for block in content["blocks"]:
        texts = block.get("elements") or [block["text"]]
        lines += ["\n".join(text["text"] for text in texts), ""]
    return "\n".join(lines)


def main() -> None:
    """Write the files into the directory that is named."""
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in render().items():
        (directory / name).write_text(text, encoding="utf-8")
    (directory / "chart.png").write_bytes(example_chart())


if __name__ == "__main__":
    main()
