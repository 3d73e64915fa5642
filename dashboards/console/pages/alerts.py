"""What the rule behind an alert measured, as data for a chart."""

from __future__ import annotations

from flask import Blueprint, Response, abort, jsonify

from dashboards.console import incidents, rules
from dashboards.console.room import Room


def blueprint(room: Room) -> Blueprint:
    """Return the data's route."""
    pages = Blueprint("alerts", __name__)

    @pages.get("/api/incidents/<incident_id>/alerts/<fingerprint>")
    def data(incident_id: str, fingerprint: str) -> Response:
        incident = incidents.one(room.sources.alerting, incident_id)
        alert = next((one for one in incident.alerts if one.fingerprint == fingerprint), None)
        if alert is None:
            abort(404, f"incident {incident_id} has no alert {fingerprint}")
        chart = rules.chart_of(room.sources.prometheus, alert, incident, now=room.clock.now())
        if chart is None:
            abort(404, f"no rule named {alert.name} is loaded, so there is nothing to draw")
        return jsonify(chart.as_json())

    return pages
