"""Our own HTTP API: what became of the alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, abort, jsonify, request

from alerting import (
    access,
    actions,
    alertmanager_api,
    approval,
    audit,
    delivery_api,
    incident_api,
    rules_api,
    switch_api,
    webhook_in,
)
from alerting.openapi.document import document
from alerting.requests import limit_of, person
from watchkeeper.storage import reading, writing

if TYPE_CHECKING:
    from alerting.app import Alerting

MAX_BODY_BYTES = 16 << 20


def register(alerting: Alerting) -> None:
    """Add every route to the service."""
    app = alerting.service.app
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    alerting.service.roles = access.ROLES
    app.add_url_rule("/api/openapi.json", view_func=lambda: jsonify(document()))
    alertmanager_api.register(app, alerting)
    webhook_in.register(app, alerting)
    incident_api.register(app, alerting)
    delivery_api.register(app, alerting)
    rules_api.register(app, alerting)
    _register_lists(app, alerting)
    switch_api.register(app, alerting)


def _register_lists(app: Flask, alerting: Alerting) -> None:
    @app.get("/api/v1/actions")
    def get_actions() -> Response:
        with reading(alerting.store.engine) as connection:
            return jsonify(actions=actions.newest(connection, limit_of()))

    @app.post("/api/v1/actions/<key>/<decision>")
    def post_decision(key: str, decision: str) -> Response:
        decide = {"approve": approval.approve, "decline": approval.decline}.get(decision)
        if decide is None:
            abort(404, f"expected approve or decline, got {decision!r}")
        by = person()
        with writing(alerting.store.engine) as connection:
            decide(connection, key, by=by, now=alerting.clock.now())
            found = actions.find(connection, key)
        alerting.wake()
        return jsonify(actions.shown(found) if found else {})

    @app.get("/api/v1/audit/verification")
    def get_verification() -> Response:
        kept = request.args.get("contains", "")
        with reading(alerting.store.engine) as connection:
            found = audit.first_break(connection)
            newest = audit.newest(connection, 1)
            is_there = audit.contains(connection, kept) if kept else None
        return jsonify(
            holds=found is None,
            first_break={"seq": found.seq, "reason": found.reason} if found else None,
            newest={name: newest[0][name] for name in ("seq", "at", "hash")} if newest else None,
            contains=is_there,
        )

    @app.get("/api/v1/audit")
    def get_audit() -> Response:
        with reading(alerting.store.engine) as connection:
            return jsonify(audit=audit.newest(connection, limit_of()))
