"""Messages as they are when people get them, for tests that look at the words."""

from __future__ import annotations

from typing import Any

from alerting.notifiers.notifier import Message
from tests.alerting.desk import START


def message(event: str = "opened", **changes: Any) -> Message:
    incident = {
        "id": "inc-1", "status": "open", "severity": "critical", "title": "Worker dead",
        "service": "shop", "started_at": "2026-01-05T09:00:00.000Z", "resolved_at": None,
        "timeline": [], "alerts": [], "actions": [], "url": "http://console.example/incidents/inc-1",
    }  # fmt: skip
    return Message("msg_1", event, {**incident, **changes}, START)


def one_alert(**annotations: str) -> list[dict[str, Any]]:
    labels = {"alertname": "Anomaly"}
    return [{"status": "firing", "labels": labels, "annotations": annotations}]


ONE_ACTION = [
    {"action": "restart-service", "target": "worker", "mode": "auto", "state": "succeeded",
     "summary": "worked: tasks finished a second is 5.8 (wanted above 0)"},
]  # fmt: skip
