"""Three incidents, as messages know them: an anomaly put right, a fix that failed, one untaken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ANOMALY = {
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
        "runbook": "docs/runbooks/AnomalySustained.md",
    },
}  # fmt: skip
PUT_RIGHT: Mapping[str, Any] = {
    "id": "inc-1f0e2d3c4b5a6978", "status": "open", "severity": "critical", "service": "shop",
    "title": "latency is unusual: route=/checkout", "started_at": "2026-01-05T09:20:00.000Z",
    "resolved_at": None, "acknowledged_by": "", "alerts": [_ANOMALY],
    "timeline": [
        {
            "at": "2026-01-05T09:29:58.000Z", "kind": "verified", "detail": {},
            "text": "restart-service on orders-worker: worked: tasks finished a second is 5.8 "
                    "(wanted above 0)",
        },
    ],
    "actions": [
        {
            "action": "restart-service", "target": "orders-worker", "mode": "auto",
            "state": "succeeded", "dispatched_at": "2026-01-05T09:28:12.000Z",
            "summary": "worked: tasks finished a second is 5.8 (wanted above 0)",
        },
    ],
    "url": "http://console.example/incidents/inc-1f0e2d3c4b5a6978",
}  # fmt: skip

_DEAD_WORKER = {
    "fingerprint": "0b51e4a7c3d2f698", "status": "firing", "starts_at": "2026-01-05T02:11:00.000Z",
    "ends_at": None, "generator_url": "http://prometheus.example/graph?g0.expr=up",
    "labels": {"alertname": "TaskQueueStalled", "service": "orders", "process": "orders-worker"},
    "annotations": {
        "summary": "orders-worker finishes no task",
        "description": "1,204 tasks wait and none was finished for 3 min.",
        "runbook_url": "docs/runbooks/TaskQueueStalled.md",
    },
}  # fmt: skip
_NO_HELP = "did not help as far as can be seen: tasks finished a second is 0 (wanted above 0)"
FIX_FAILED: Mapping[str, Any] = {
    "id": "inc-7d20c9b8a1f3e645", "status": "open", "severity": "critical", "service": "orders",
    "title": "orders-worker finishes no task", "started_at": "2026-01-05T02:11:00.000Z",
    "resolved_at": None, "acknowledged_by": "", "alerts": [_DEAD_WORKER],
    "timeline": [
        {
            "at": "2026-01-05T02:19:40.000Z", "kind": "unverified", "detail": {},
            "text": f"restart-service on orders-worker: {_NO_HELP}",
        },
    ],
    "actions": [
        {
            "action": "restart-service", "target": "orders-worker", "mode": "auto",
            "state": "unverified", "dispatched_at": "2026-01-05T02:11:09.000Z",
            "summary": _NO_HELP,
        },
        {
            "action": "restart-service", "target": "orders-worker", "mode": "auto",
            "state": "unverified", "dispatched_at": "2026-01-05T02:15:30.000Z",
            "summary": _NO_HELP,
        },
    ],
    "url": "http://console.example/incidents/inc-7d20c9b8a1f3e645",
}  # fmt: skip

_DISK = {
    "fingerprint": "9ac6f2e1d0b87345", "status": "firing", "starts_at": "2026-01-05T11:00:00.000Z",
    "ends_at": None, "generator_url": "",
    "labels": {"alertname": "CapacityRunningOut", "service": "host", "mountpoint": "/var"},
    "annotations": {
        "summary": "/var is full in 3 h",
        "description": "3.1 GB of 50 GB are free, and it grows by 1 GB an hour.",
        "runbook_url": "https://wiki.example/full-disks",
    },
}  # fmt: skip
UNTAKEN: Mapping[str, Any] = {
    "id": "inc-3b94d7e0f5c21a86", "status": "open", "severity": "warning", "service": "host",
    "title": "/var is full in 3 h", "started_at": "2026-01-05T11:00:00.000Z",
    "resolved_at": None, "acknowledged_by": "", "alerts": [_DISK],
    "timeline": [
        {
            "at": "2026-01-05T11:15:04.000Z", "kind": "escalated", "detail": {},
            "text": "nobody took it within 15 min: calling pager",
        },
    ],
    "actions": [
        {
            "action": "run-command", "target": "rotate-logs", "mode": "approve",
            "state": "proposed", "dispatched_at": None, "summary": "",
        },
    ],
    "url": "http://console.example/incidents/inc-3b94d7e0f5c21a86",
}  # fmt: skip
