"""What the rule behind an alert measured, as data for a chart."""

from __future__ import annotations

from flask import Blueprint, Response, abort, jsonify

from dashboards.console import rules
from dashboards.console.casebook import Casebook
from dashboards.console.room import Room


def blueprint(room: Room) -> Blueprint:
    """Return the data's route."""
    pages = Blueprint("alerts", __name__)
    casebook = Casebook(room.sources.alerting)

    @pages.get("/api/incidents/<incident_id>/alerts/<fingerprint>")
    def data(incident_id: str, fingerprint: str) -> Response:
        readings, now = room.watch.readings(), room.clock.now()
        incident, _ = casebook.find(incident_id, readings, now=now)
        alert = next((one for one in incident.alerts if one.fingerprint == fingerprint), None)
        if alert is None:
            abort(404, f"incident {incident_id} has no alert {fingerprint}")
        chart = rules.chart_of(room.sources.prometheus, alert, incident, now=now)
        if chart is None:
            note = f"No rule named {alert.name} is loaded here, so there is nothing to draw."
            return jsonify(lines=[], note=note)
        return jsonify(chart.as_json())

    return pages
