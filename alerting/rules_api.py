"""The HTTP calls about remediation rules: which there are, and how far each may go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, abort, jsonify

from alerting import rule_modes
from alerting.remediation_rules import Mode
from alerting.requests import optional_text_of, person, text_of
from alerting.rule_modes import UnknownRule
from watchkeeper.storage import reading, writing

if TYPE_CHECKING:
    from alerting.app import Alerting


def register(app: Flask, alerting: Alerting) -> None:
    """Add the routes under /api/v1/rules."""

    def listed() -> list[dict[str, object]]:
        with reading(alerting.store.engine) as connection:
            rules = alerting.configuration.remediation
            return rule_modes.listed(connection, rules, now=alerting.clock.now())

    @app.get("/api/v1/rules")
    def get_rules() -> Response:
        return jsonify(rules=listed())

    @app.post("/api/v1/rules/<name>/mode")
    def post_mode(name: str) -> Response:
        by, reason, word = person(), optional_text_of("reason"), text_of("mode")
        if word not in list(Mode):
            abort(400, f"mode: expected one of {', '.join(Mode)}, got {word!r}")
        try:
            with writing(alerting.store.engine) as connection:
                rule_modes.switch(
                    connection,
                    alerting.configuration.remediation,
                    name,
                    mode=Mode(word),
                    by=by,
                    reason=reason,
                    now=alerting.clock.now(),
                )
        except UnknownRule as error:
            abort(404, str(error))
        alerting.wake()
        return jsonify(next(rule for rule in listed() if rule["name"] == name))
