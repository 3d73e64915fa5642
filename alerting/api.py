"""The HTTP API: Alertmanager's for alerts, our own for what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import Flask, Response, abort, jsonify, request
from werkzeug.exceptions import BadRequest

from alerting import actions, audit, incidents, intake, kill_switch, outbox, tables
from alerting.alert import Alert
from alerting.stages.route import receivers_for
from watchkeeper.clock import format_rfc3339
from watchkeeper.logs import get_logger
from watchkeeper.storage import reading, writing

if TYPE_CHECKING:
    from alerting.app import Alerting

log = get_logger(__name__)

MAX_BODY_BYTES = 16 << 20
DEFAULT_LIMIT = 100
MAX_LIMIT = 1000


def register(alerting: Alerting) -> None:
    """Add every route to the service."""
    app = alerting.service.app
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    _register_alerts(app, alerting)
    _register_incidents(app, alerting)
    _register_lists(app, alerting)
    _register_switch(app, alerting)


def _register_alerts(app: Flask, alerting: Alerting) -> None:
    @app.post("/api/v2/alerts")
    def post_alerts() -> tuple[Response, int]:
        now = alerting.clock.now()
        found = intake.read_alerts(
            _json(),
            now=now,
            resolve_timeout_seconds=alerting.configuration.alerting.resolve_timeout_seconds,
        )
        alerting.router.accept(found.alerts)
        firing = sum(alert.is_firing(now) for alert in found.alerts)
        alerting.telemetry.received(
            firing=firing, resolved=len(found.alerts) - firing, invalid=len(found.problems)
        )
        if found.problems:
            log.warning("alerts refused", extra={"problems": found.problems[:10]})
            message = "; ".join(found.problems[:20])
            return jsonify(error={"reason": "request", "message": message}), 400
        return jsonify({}), 200

    @app.get("/api/v2/alerts")
    def get_alerts() -> Response:
        table = tables.alerts
        query = sa.select(table).where(table.c.status == "firing").order_by(table.c.starts_at)
        with reading(alerting.store.engine) as connection:
            rows = connection.execute(query).all()
        route = alerting.configuration.alerting.route
        return jsonify(
            [
                intake.gettable(
                    Alert(
                        row.labels, row.annotations, row.starts_at, row.ends_at, row.generator_url
                    ),
                    updated_at=row.updated_at,
                    receivers=list(receivers_for(row.labels, route)),
                )
                for row in rows
            ]
        )


def _register_incidents(app: Flask, alerting: Alerting) -> None:
    @app.get("/api/v1/incidents")
    def get_incidents() -> Response:
        status = request.args.get("status")
        if status not in (None, incidents.OPEN, incidents.RESOLVED):
            abort(400, f"status: expected open or resolved, got {status!r}")
        with reading(alerting.store.engine) as connection:
            found = incidents.newest(connection, status=status, limit=_limit())
        return jsonify(incidents=found)

    @app.get("/api/v1/incidents/<incident_id>")
    def get_incident(incident_id: str) -> Response:
        with reading(alerting.store.engine) as connection:
            found = incidents.show(connection, incident_id)
        if found is None:
            abort(404, f"no incident {incident_id}")
        return jsonify(found)


def _register_lists(app: Flask, alerting: Alerting) -> None:
    @app.get("/api/v1/actions")
    def get_actions() -> Response:
        with reading(alerting.store.engine) as connection:
            return jsonify(actions=actions.newest(connection, _limit()))

    @app.get("/api/v1/deliveries")
    def get_deliveries() -> Response:
        with reading(alerting.store.engine) as connection:
            return jsonify(deliveries=outbox.newest(connection, _limit()))

    @app.get("/api/v1/audit")
    def get_audit() -> Response:
        with reading(alerting.store.engine) as connection:
            return jsonify(audit=audit.newest(connection, _limit()))


def _register_switch(app: Flask, alerting: Alerting) -> None:
    def status() -> Response:
        with reading(alerting.store.engine) as connection:
            pause = kill_switch.current(connection)
            under_way = actions.in_flight(connection)
        return jsonify(
            paused=pause is not None,
            reason=pause.reason if pause else None,
            by=pause.by if pause else None,
            since=format_rfc3339(pause.since) if pause else None,
            in_flight=under_way,
        )

    @app.get("/api/v1/status")
    def get_status() -> Response:
        return status()

    @app.post("/api/v1/pause")
    def post_pause() -> Response:
        reason, by = _text("reason"), _text("by")
        with writing(alerting.store.engine) as connection:
            kill_switch.pause(connection, reason=reason, by=by, now=alerting.clock.now())
        return status()

    @app.post("/api/v1/resume")
    def post_resume() -> Response:
        reason, by = _text("reason", default=""), _text("by", default="unnamed")
        with writing(alerting.store.engine) as connection:
            kill_switch.resume(connection, reason=reason, by=by, now=alerting.clock.now())
        alerting.wake()
        return status()


def _json() -> Any:
    try:
        return request.get_json(force=True)
    except BadRequest:
        abort(400, "expected a JSON body")


def _text(key: str, *, default: str | None = None) -> str:
    """Return a text of the JSON body; an empty body counts as an empty object."""
    body = _json() if request.get_data() else {}
    if not isinstance(body, dict):
        abort(400, "expected a JSON object")
    value = body.get(key, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        abort(400, f"{key}: expected a text that says something")
    return value.strip()


def _limit() -> int:
    text = request.args.get("limit", str(DEFAULT_LIMIT))
    if not text.isdecimal() or not 1 <= int(text) <= MAX_LIMIT:
        abort(400, f"limit: expected a number from 1 to {MAX_LIMIT}, got {text!r}")
    return int(text)
