"""The HTTP calls about incidents: what they are, and what people do about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, jsonify, request

from alerting import incident_view, incidents, precedents, response, rule_modes
from alerting.pipeline import Work
from alerting.requests import duration_of, limit_of, optional_text_of, person, text_of
from alerting.response import UnknownIncident
from watchkeeper.storage import reading, writing

if TYPE_CHECKING:
    from alerting.app import Alerting

SILENCE_SECONDS = 2 * 3600.0
"""How long an incident is silenced unless said otherwise, as in Alertmanager's form."""

MAX_SILENCE_SECONDS = 90 * 86400.0


def register(app: Flask, alerting: Alerting) -> None:
    """Add the routes under /api/v1/incidents."""
    _register_reading(app, alerting)
    _register_deeds(app, alerting)


def _register_reading(app: Flask, alerting: Alerting) -> None:
    @app.get("/api/v1/incidents")
    def get_incidents() -> Response:
        status = request.args.get("status")
        if status not in (None, incidents.OPEN, incidents.RESOLVED):
            abort(400, f"status: expected open or resolved, got {status!r}")
        with reading(alerting.store.engine) as connection:
            found = incident_view.newest(connection, status=status, limit=limit_of())
        return jsonify(incidents=found)

    @app.get("/api/v1/incidents/<incident_id>")
    def get_incident(incident_id: str) -> Response:
        return jsonify(_whole(alerting, incident_id))


def _whole(alerting: Alerting, incident_id: str) -> dict[str, Any]:
    with reading(alerting.store.engine) as connection:
        found = incident_view.show(connection, incident_id)
        if found is None:
            abort(404, f"no incident {incident_id}")
        return {**found, "similar": precedents.similar(connection, incident_id)}


def _register_deeds(app: Flask, alerting: Alerting) -> None:
    def deed(incident_id: str, do: Callable[[Work], object]) -> Response:
        """Do one thing in one transaction and return the incident as it is then."""
        try:
            with writing(alerting.store.engine) as connection:
                configuration = alerting.configuration
                rules = rule_modes.in_force(connection, configuration.remediation)
                do(Work(connection, alerting.clock.now(), configuration.alerting, rules))
        except UnknownIncident as error:
            abort(404, str(error))
        alerting.wake()
        return jsonify(_whole(alerting, incident_id))

    @app.post("/api/v1/incidents/<incident_id>/acknowledge")
    def post_acknowledge(incident_id: str) -> Response:
        by, text = person(), optional_text_of("text")
        return deed(
            incident_id, lambda work: response.acknowledge(incident_id, by=by, text=text, work=work)
        )

    @app.post("/api/v1/incidents/<incident_id>/owner")
    def post_owner(incident_id: str) -> Response:
        by, owner = person(), text_of("owner")
        return deed(
            incident_id, lambda work: response.own(incident_id, owner=owner, by=by, work=work)
        )

    @app.post("/api/v1/incidents/<incident_id>/notes")
    def post_note(incident_id: str) -> Response:
        by, text = person(), text_of("text")
        return deed(
            incident_id, lambda work: response.note(incident_id, text=text, by=by, work=work)
        )

    @app.post("/api/v1/incidents/<incident_id>/not-a-problem")
    def post_no_problem(incident_id: str) -> Response:
        by, text = person(), optional_text_of("text")
        return deed(
            incident_id,
            lambda work: response.call_no_problem(incident_id, by=by, text=text, work=work),
        )

    @app.post("/api/v1/incidents/<incident_id>/silence")
    def post_incident_silence(incident_id: str) -> Response:
        by, text = person(), optional_text_of("text")
        seconds = duration_of(
            "duration", default_seconds=SILENCE_SECONDS, most_seconds=MAX_SILENCE_SECONDS
        )
        answer = deed(
            incident_id,
            lambda work: response.silence(
                incident_id, by=by, text=text, seconds=seconds, work=work
            ),
        )
        alerting.router.review_all()
        return answer
