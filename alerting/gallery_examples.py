"""Three incidents, as messages know them: an anomaly put right, a fix that failed, one untaken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONSOLE = "http://console.example"


def _alert(
    fingerprint: str, labels: Mapping[str, str], annotations: Mapping[str, str], *, since: str,
    source: str = "",
) -> dict[str, Any]:  # fmt: skip
    return {
        "fingerprint": fingerprint, "status": "firing", "labels": labels,
        "annotations": annotations, "starts_at": since, "ends_at": None, "generator_url": source,
    }  # fmt: skip


def _action(action: str, target: str, *, created_at: str, key: str, **told: Any) -> dict[str, Any]:
    """Return an action with all that a webhook tells of one; ``told`` is what became of it."""
    return {
        "rule": action, "action": action, "target": target, "mode": "auto", "attempt": 1,
        "idempotency_key": key, "parameters": {}, "endpoint": "local", "state": "proposed",
        "summary": "", "denied_by": [], "fencing_token": None, "body": None,
        "created_at": created_at, "claimed_at": None, "dispatched_at": None, "expires_at": None,
        "completed_at": None, "finished_at": None, **told,
    }  # fmt: skip


def _incident(
    number: str, severity: str, alert: Mapping[str, Any], *, actions: list[dict[str, Any]],
    last: tuple[str, str, str],
) -> Mapping[str, Any]:  # fmt: skip
    at, kind, text = last
    identity = f"inc-{number}"
    return {
        "id": identity, "status": "open", "severity": severity,
        "title": alert["annotations"]["summary"], "service": alert["labels"]["service"],
        "started_at": alert["starts_at"], "resolved_at": None, "acknowledged_at": None,
        "acknowledged_by": "", "owner": "", "not_a_problem_by": "",
        "timeline": [{"at": at, "kind": kind, "text": text, "detail": {}}], "alerts": [alert],
        "actions": [{**one, "incident_id": identity} for one in actions],
        "url": f"{CONSOLE}/incidents/{identity}",
    }  # fmt: skip


_WORKED = "worked: tasks finished a second is 5.8 (wanted above 0)"
PUT_RIGHT = _incident(
    "1f0e2d3c4b5a6978",
    "critical",
    _alert(
        "5f0c7a3e1b2d4c6f",
        {"alertname": "Anomaly", "service": "shop", "query": "latency", "route": "/checkout"},
        {
            "summary": "latency is unusual: route=/checkout",
            "description": "The 95th percentile of /checkout has left its band for ten minutes.",
            "actual": "2.41 s", "expected": "0.34 s", "lower": "0.21 s", "upper": "0.52 s",
            "score": "4.6", "contributors": "route=/checkout (92 %)",
            "moved_along": "task_queue_depth queue=orders rose 40 s earlier",
            "last_change": "deploy shop 4.2.1, 11 min before, by ana",
            "similar": "2025-12-18 14:02, ended by restart-service",
            "runbook": "docs/runbooks/AnomalySustained.md",
        },
        since="2026-01-05T09:20:00.000Z",
        source=f"{CONSOLE}/series/3f9a",
    ),
    actions=[
        _action(
            "restart-service", "orders-worker", created_at="2026-01-05T09:28:11.000Z",
            key="act_9c1e5a7d3b2f4860", state="succeeded", summary=_WORKED, fencing_token=1,
            claimed_at="2026-01-05T09:28:12.000Z", dispatched_at="2026-01-05T09:28:12.000Z",
            expires_at="2026-01-05T09:30:12.000Z", completed_at="2026-01-05T09:28:15.000Z",
            finished_at="2026-01-05T09:29:58.000Z",
        ),
    ],
    last=("2026-01-05T09:29:58.000Z", "verified", f"restart-service on orders-worker: {_WORKED}"),
)  # fmt: skip

_NO_HELP = "did not help as far as can be seen: tasks finished a second is 0 (wanted above 0)"
_FAILED = {"state": "unverified", "summary": _NO_HELP}
FIX_FAILED = _incident(
    "7d20c9b8a1f3e645",
    "critical",
    _alert(
        "0b51e4a7c3d2f698",
        {"alertname": "TaskQueueStalled", "service": "orders", "process": "orders-worker"},
        {
            "summary": "orders-worker finishes no task",
            "description": "1,204 tasks wait and none was finished for 3 min.",
            "runbook_url": "docs/runbooks/TaskQueueStalled.md",
        },
        since="2026-01-05T02:11:00.000Z",
        source="http://prometheus.example/graph?g0.expr=up",
    ),
    actions=[
        _action(
            "restart-service", "orders-worker", created_at="2026-01-05T02:11:08.000Z",
            key="act_b7d04e19a6c8532f", fencing_token=1, **_FAILED,
            claimed_at="2026-01-05T02:11:09.000Z", dispatched_at="2026-01-05T02:11:09.000Z",
            expires_at="2026-01-05T02:13:09.000Z", completed_at="2026-01-05T02:11:12.000Z",
            finished_at="2026-01-05T02:15:20.000Z",
        ),
        _action(
            "restart-service", "orders-worker", created_at="2026-01-05T02:15:20.000Z",
            key="act_2e6f8a0c4d91b735", attempt=2, fencing_token=2, **_FAILED,
            claimed_at="2026-01-05T02:15:30.000Z", dispatched_at="2026-01-05T02:15:30.000Z",
            expires_at="2026-01-05T02:17:30.000Z", completed_at="2026-01-05T02:15:33.000Z",
            finished_at="2026-01-05T02:19:40.000Z",
        ),
    ],
    last=(
        "2026-01-05T02:19:40.000Z", "unverified", f"restart-service on orders-worker: {_NO_HELP}",
    ),
)  # fmt: skip

UNTAKEN = _incident(
    "3b94d7e0f5c21a86",
    "warning",
    _alert(
        "9ac6f2e1d0b87345",
        {"alertname": "CapacityRunningOut", "service": "host", "mountpoint": "/var"},
        {
            "summary": "/var is full in 3 h",
            "description": "3.1 GB of 50 GB are free, and it grows by 1 GB an hour.",
            "runbook_url": "https://wiki.example/full-disks",
        },
        since="2026-01-05T11:00:00.000Z",
    ),
    actions=[
        _action(
            "run-command", "rotate-logs", created_at="2026-01-05T11:00:00.000Z",
            key="act_51f3c7e9d8a2406b", mode="approve",
        ),
    ],
    last=("2026-01-05T11:10:04.000Z", "escalated", "nobody took it within 10 min: calling pager"),
)  # fmt: skip
