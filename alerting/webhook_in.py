"""The webhook of an Alertmanager kept in front of us, and that of a Grafana that judges rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, jsonify, request
from standardwebhooks import Webhook, WebhookVerificationError

from alerting import intake
from alerting.requests import json_body
from watchkeeper.configuration import Secret

if TYPE_CHECKING:
    from alerting.app import Alerting

VERSIONS = {"4": "Alertmanager", "1": "Grafana"}
"""Who says which; Grafana's body is Alertmanager's with more in it, under a number of its own."""

LIFETIME_SECONDS = 24 * 3600.0
"""How long an alert fires whose end is not told: both tell it when it comes, and repeat themselves
every four hours by default."""


def register(app: Flask, alerting: Alerting) -> None:
    """Add the route."""

    @app.post("/api/v1/webhooks/alertmanager")
    def post_webhook() -> tuple[Response, int]:
        secret = alerting.configuration.alerting.webhook_in.signing_secret
        if secret is not None and not is_signed(secret, dict(request.headers), request.get_data()):
            abort(401, "expected a valid signature in the headers of Standard Webhooks")
        alerts = alerts_of(json_body())
        found = intake.read_alerts(
            alerts, now=alerting.clock.now(), resolve_timeout_seconds=LIFETIME_SECONDS
        )
        if found.problems:  # whole or not at all: the group is sent again
            abort(400, "; ".join(found.problems[:20]))
        alerting.router.accept(found.alerts)
        return jsonify(taken=len(found.alerts)), 200


def alerts_of(body: Any) -> Any:
    """Return the alerts of a body; anything that neither of them sends is answered 400."""
    version = body.get("version") if isinstance(body, dict) else None
    if not isinstance(version, str) or version not in VERSIONS:
        known = " or ".join(f'{who}\'s with "version": "{each}"' for each, who in VERSIONS.items())
        abort(400, f"expected a webhook of alerts: {known}")
    return body.get("alerts")


def is_signed(secret: Secret, headers: Mapping[str, str], body: bytes) -> bool:
    """Return whether a body carries a signature of ours that is no older than five minutes.

    Neither signs so itself; a proxy in front of us, or a program of yours, can.
    """
    try:
        Webhook(secret.reveal()).verify(body, {k.lower(): v for k, v in headers.items()})
    except WebhookVerificationError:
        return False
    return True
