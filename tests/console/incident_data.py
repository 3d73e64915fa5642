"""Incidents, alerts and series as their services would answer them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.console.conftest import NOW
from watchkeeper.clock import format_rfc3339


def at(seconds: float) -> str:
    """Return the time ``seconds`` from the tests' now."""
    moment: datetime = NOW + timedelta(seconds=seconds)
    return format_rfc3339(moment)


def moment(seconds: float, kind: str, text: str = "", detail: Any = None) -> dict[str, Any]:
    return {"at": at(seconds), "kind": kind, "text": text or kind, "detail": detail}


def alert(name: str = "TaskQueueStalled", **changes: Any) -> dict[str, Any]:
    return {
        "fingerprint": "f1",
        "status": "firing",
        "labels": {"alertname": name, "severity": "critical", "service": "taskboard"},
        "annotations": {"summary": "Tasks wait and none is finished."},
        "starts_at": at(-240),
        "ends_at": None,
    } | changes


def incident(id_: str = "i-1", **changes: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "status": "open",
        "severity": "critical",
        "title": "No worker takes tasks from queue work",
        "service": "taskboard",
        "started_at": at(-240),
        "resolved_at": None,
        "timeline": [
            moment(-240, "detected", "TaskQueueStalled fired"),
            moment(-239, "notified", "Slack was told"),
            moment(-238, "action-dispatched", "restart-service taskboard-worker"),
        ],
        "alerts": [alert()],
    } | changes


def resolved(id_: str = "i-0", **changes: Any) -> dict[str, Any]:
    return (
        incident(
            id_,
            status="resolved",
            title="The web process ran out of memory",
            started_at=at(-1800),
            resolved_at=at(-1740),
            timeline=[
                moment(-1800, "detected"),
                moment(-1798.5, "notified"),
                moment(-1798, "action-dispatched"),
                moment(-1790, "action-completed", "restart-service taskboard"),
                moment(-1745, "verified", "memory is at 31 %"),
                moment(-1740, "resolved"),
            ],
        )
        | changes
    )


def series(id_: str = "s1", **changes: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "query": "response time",
        "labels": {"http_route": "/tasks/<id>", "service": "taskboard"},
        "state": "ready",
        "score": 3.2,
        "actual": 0.29,
        "expected": 0.041,
        "lower": 0.02,
        "upper": 0.08,
        "alerting": True,
        "detector": "robust",
        "since": at(-60),
    } | changes


def with_points(one: dict[str, Any], count: int = 180) -> dict[str, Any]:
    """Return a series with a quiet past and an unusual last part."""
    start = NOW.timestamp() - count * 10
    usual = [0.04 + 0.008 * ((i * 7919) % 13 - 6) / 6 for i in range(count)]
    actual = [value + (0.25 if i > count - 20 else 0) for i, value in enumerate(usual)]
    return one | {
        "points": {
            "timestamps": [start + 10 * i for i in range(count)],
            "actual": actual,
            "expected": [0.041] * count,
            "lower": [0.02] * count,
            "upper": [0.08] * count,
            "score": [1.0] * count,
        }
    }
