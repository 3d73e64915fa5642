"""What the console asks, answered by one small server: as many incidents and series as told."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

ROWS = 100
"""Deliveries, actions: as many as a page of the console asks for."""

COLLECTORS = 30
"""What Prometheus answers to any question at one moment; one for each collector of an agent."""

LINES, POINTS = 12, 240
"""What it answers to any question over time."""


class Neighbours:
    """Every service the console asks, at one address; nothing of what they say ever changes."""

    def __init__(self, *, incidents: int, series: int) -> None:
        now = datetime.now(UTC)
        settings = {f"part_{part}": {f"key_{at}": at for at in range(8)} for part in range(10)}
        self._answers = {
            "/readyz": {"status": "ready", "reasons": {}},
            "/api/v1/incidents": {"incidents": [_incident(at, now) for at in range(incidents)]},
            **{f"/api/v1/incidents/i{at}": _incident(at, now) for at in range(incidents)},
            "/api/v1/actions": {"actions": [_action(at, now) for at in range(ROWS)]},
            "/api/v1/deliveries": {"deliveries": [_delivery(at, now) for at in range(ROWS)]},
            "/api/v1/rules": _rules(),
            "/api/v1/status": {"paused": False},
            "/api/v1/queries": {"queries": []},
            "/api/v1/series": {"series": [_series(at) for at in range(series)]},
            "/api/v1/series/s0": _with_points(_series(0), now),
            "/api/v1/feedback": {"feedback": []},
            "/api/v1/configuration": {"files": [{"file": "part.yml", "settings": settings}]},
            "/api/v2/status": {"config": {"original": "route: {receivers: [slack]}\n" * 40}},
            "/api/v1/query": _vector(now),
            "/api/v1/query_range": _matrix(now),
        }
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where all of them answer."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        bodies = {path: json.dumps(answer).encode() for path, answer in self._answers.items()}
        values = json.dumps(_success(["taskboard", "taskboard-worker"])).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # http.server's name
                body = bodies.get(urlsplit(self.path).path, values)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        return Handler


def _success(data: Any) -> dict[str, Any]:
    return {"status": "success", "data": data}


def _rules() -> dict[str, Any]:
    """Return what both alerting and Prometheus answer here, under one address."""
    rule = {"query": "a > 1", "health": "ok", "state": "inactive", "type": "alerting"}
    alerts = [{**rule, "name": f"Rule{number}"} for number in range(25)]
    remediation = [
        {"name": f"rule-{number}", "mode": "auto", "is_verified": True} for number in range(5)
    ]
    return {**_success({"groups": [{"name": "g", "rules": alerts}]}), "rules": remediation}


def _vector(now: datetime) -> dict[str, Any]:
    found = [{"metric": _labels(at), "value": [now.timestamp(), "1"]} for at in range(COLLECTORS)]
    return _success({"resultType": "vector", "result": found})


def _matrix(now: datetime) -> dict[str, Any]:
    found = [{"metric": _labels(at), "values": _samples(at, now)} for at in range(LINES)]
    return _success({"resultType": "matrix", "result": found})


def _samples(line: int, now: datetime) -> list[tuple[float, str]]:
    start = now.timestamp() - 15.0 * POINTS
    return [(start + 15.0 * at, f"{0.2 + (at * 7 + line) % 13 / 20}") for at in range(POINTS)]


def _labels(number: int) -> dict[str, str]:
    return {
        "job": "taskboard",
        "service": f"service-{number % 10}",
        "instance": "127.0.0.1:8310",
        "collector": f"collector-{number}",
        "http_route": f"/tasks/{number}",
    }


def _incident(number: int, now: datetime) -> dict[str, Any]:
    started = now - timedelta(seconds=60 + number)
    moments = ("detected", "notified", "action-dispatched", "action-completed")
    return {
        "id": f"i{number}",
        "status": "open",
        "severity": ("critical", "warning")[number % 2],
        "title": f"Response time of route /tasks/{number} is unusual",
        "service": f"service-{number % 20}",
        "started_at": started.isoformat(),
        "resolved_at": None,
        "timeline": [
            {"at": (started + timedelta(seconds=at)).isoformat(), "kind": kind, "text": kind}
            for at, kind in enumerate(moments)
        ],
        "alerts": [{"fingerprint": f"f{number}", "labels": {"alertname": "Anomaly"}}],
    }


def _action(number: int, now: datetime) -> dict[str, Any]:
    return {
        "idempotency_key": f"k{number}",
        "rule": f"rule-{number % 5}",
        "action": "restart-service",
        "target": f"service-{number % 20}",
        "mode": "auto",
        "state": ("succeeded", "denied", "failed")[number % 3],
        "incident_id": f"i{number}",
        "created_at": (now - timedelta(seconds=number)).isoformat(),
        "finished_at": now.isoformat(),
    }


def _delivery(number: int, now: datetime) -> dict[str, Any]:
    return {
        "id": f"d{number}",
        "receiver": "slack",
        "event": "opened",
        "incident_id": f"i{number}",
        "state": ("delivered", "dead", "waiting")[number % 3],
        "attempts": 1,
        "created_at": (now - timedelta(seconds=number)).isoformat(),
        "error": None if number % 3 == 0 else "answered 503",
    }


def _series(number: int) -> dict[str, Any]:
    return {
        "id": f"s{number}",
        "query": f"query-{number % 10}",
        "labels": {"service": f"service-{number % 20}", "http_route": f"/tasks/{number}"},
        "state": "ready",
        "score": 0.3 if number else 2.0,
        "actual": 1.0,
        "expected": 1.0,
        "lower": 0.5,
        "upper": 1.5,
        "alerting": number == 0,
    }


def _with_points(one: dict[str, Any], now: datetime) -> dict[str, Any]:
    steady = {name: [1.0] * POINTS for name in ("actual", "expected", "lower", "upper", "score")}
    moments = [now.timestamp() - 15.0 * at for at in reversed(range(POINTS))]
    return {**one, "points": {"timestamps": moments, **steady}}
