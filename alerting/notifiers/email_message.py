"""What an e-mail says: the same facts as text and as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

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

SHOWN_ALERTS = 20
CHART_ID = "chart@watchkeeper"
SUBJECT_CHARACTERS = 200

_COLOURS = {"critical": "#b3261e", "warning": "#8a5a00", "info": "#1f5fa8", "none": "#555555"}
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,  # an alert's words come from whoever can post one
    undefined=StrictUndefined,
)
_RESOLVED_COLOUR = "#1b6e3c"


def subject(message: Message) -> str:
    """Return the subject; one line, whatever the alert's words hold."""
    line = f"[{message.incident['service']}] {headline(message)}"
    shown = "".join(letter if letter.isprintable() else " " for letter in line)
    return " ".join(shown.split())[:SUBJECT_CHARACTERS]


def text(message: Message) -> str:
    """Return the message as plain text."""
    lines = [headline(message), ""]
    lines += [f"{name}: {value}" for name, value in _facts(message)]
    for alert in _shown(message.incident):
        lines += ["", *_alert_lines(alert)]
    done = actions_taken(message.incident)
    if done:
        lines += ["", "What was done:", *(f"  - {line}" for line in done)]
    lines += ["", f"Open the incident: {message.incident['url']}"]
    lines += [f"Runbook: {place}" for place in runbooks(message.incident)]
    lines += ["", f"-- \nWatchkeeper, {message.incident['id']}, delivery {message.delivery_id}"]
    return "\n".join(lines)


def html(message: Message) -> str:
    """Return the message as HTML with inline styles, which is what mail programs show."""
    incident = message.incident
    is_over = message.event == "resolved"
    alerts = [_alert_lines(alert) or ["unnamed alert"] for alert in _shown(incident)]
    return _TEMPLATES.get_template("email.html").render(
        colour=_RESOLVED_COLOUR if is_over else _COLOURS[incident["severity"]],
        headline=headline(message),
        facts=_facts(message),
        alerts=[(first, rest) for first, *rest in alerts],
        actions=actions_taken(incident),
        chart_id=CHART_ID if message.chart else "",
        url=incident["url"],
        runbooks=runbooks(incident),
        incident_id=incident["id"],
        delivery_id=message.delivery_id,
    )


def _facts(message: Message) -> list[tuple[str, str]]:
    news = latest(message)
    return [*facts(message), *([("Latest", news)] if news else [])]


def _shown(incident: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    firing = [alert for alert in incident["alerts"] if alert["status"] == "firing"]
    return (firing or list(incident["alerts"]))[:SHOWN_ALERTS]


def _alert_lines(alert: Mapping[str, Any]) -> list[str]:
    annotations = alert["annotations"]
    lines = [
        annotations.get("summary") or alert["labels"].get("alertname", ""),
        annotations.get("description", ""),
        how_it_differs(annotations),
        *what_is_known(annotations),
    ]
    return [line for line in lines if line]
