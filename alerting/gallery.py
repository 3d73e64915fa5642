"""Renders one example of every message as its reader gets it, for people to look at.

    python -m alerting.gallery docs/messages

The example is an anomaly that an action has put right; every kind of receiver tells the same story.
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
from alerting.notifiers import email_message, pagerduty, slack_message
from alerting.notifiers.notifier import Message

AT = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)

_ALERT = {
    "fingerprint": "5f0c7a3e1b2d4c6f", "status": "firing", "starts_at": "2026-01-05T09:20:00.000Z",
    "ends_at": None, "generator_url": "http://console.example/series/3f9a",
    "labels": {"alertname": "Anomaly", "service": "shop", "query": "latency", "route": "/checkout"},
    "annotations": {
        "summary": "latency is unusual: route=/checkout",
        "description": "The 95th percentile of /checkout has left its band for ten minutes.",
        "actual": "2.41 s", "expected": "0.34 s", "lower": "0.21 s", "upper": "0.52 s",
        "score": "4.6", "contributors": "route=/checkout (92 %)",
        "moved_along": "task_queue_depth queue=orders rose 40 s earlier",
        "last_change": "deploy shop 4.2.1, 11 min before, by ana",
        "similar": "2025-12-18 14:02, ended by restart-service",
        "runbook_url": "http://console.example/runbooks/AnomalySustained",
    },
}  # fmt: skip
_ACTION = {
    "action": "restart-service", "target": "orders-worker", "mode": "auto", "state": "succeeded",
    "summary": "worked: tasks finished a second is 5.8 (wanted above 0)",
}  # fmt: skip
INCIDENT: Mapping[str, Any] = {
    "id": "inc-1f0e2d3c4b5a6978", "status": "open", "severity": "critical", "service": "shop",
    "title": "latency is unusual: route=/checkout", "started_at": "2026-01-05T09:20:00.000Z",
    "resolved_at": None, "acknowledged_by": "ana", "timeline": [], "alerts": [_ALERT],
    "actions": [_ACTION], "url": "http://console.example/incidents/inc-1f0e2d3c4b5a6978",
}  # fmt: skip
_OVER = {"status": "resolved", "resolved_at": "2026-01-05T09:34:10.000Z"}


def messages() -> dict[str, Message]:
    """Return an example of each event people are told of."""
    return {
        event: Message(
            f"msg_{event}", event, {**INCIDENT, **(_OVER if event == "resolved" else {})}, AT,
            chart=example_chart() if event == "opened" else b"",
        )
        for event in ("opened", "action", "escalated", "acknowledged", "resolved")
    }  # fmt: skip


def example_chart() -> bytes:
    """Return the picture that goes with the example: an hour, the last ten minutes unusual."""
    minutes = range(60)
    usual = [0.34 + 0.06 * math.sin(minute / 7) for minute in minutes]
    actual = [value + (2.0 if minute >= 50 else 0.02) for minute, value in enumerate(usual)]
    return draw(
        str(_ALERT["annotations"]["summary"]),  # type: ignore[index]
        Points(
            [(AT - timedelta(minutes=60 - minute)).timestamp() for minute in minutes],
            actual, usual, [value - 0.13 for value in usual], [value + 0.18 for value in usual],
        ),
    )  # fmt: skip


def render() -> dict[str, str]:
    """Return the text files by name."""
    found = {}
    for event, message in messages().items():
        found[f"email-{event}.txt"] = (
            f"Subject: {email_message.subject(message)}\n\n{email_message.text(message)}\n"
        )
        found[f"slack-{event}.txt"] = _as_read(slack_message.render(message))
    shown = email_message.html(messages()["opened"])
    found["email-opened.html"] = shown.replace(f"cid:{email_message.CHART_ID}", "chart.png") + "\n"
    event = json.loads(pagerduty.render(messages()["opened"], "(the routing key)"))
    found["pagerduty-opened.json"] = json.dumps(event, indent=2, ensure_ascii=False) + "\n"
    return found


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
