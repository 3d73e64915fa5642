"""One incident: its whole story and the evidence for it."""

from __future__ import annotations

from flask import Blueprint, render_template

from dashboards.console import incidents
from dashboards.console.evidence import evidence_of
from dashboards.console.incidents import Incident
from dashboards.console.room import Room


def blueprint(room: Room) -> Blueprint:
    """Return the routes of the page and of the part of it that is refreshed."""
    pages = Blueprint("incident", __name__)

    def _show(template: str, incident_id: str) -> str:
        readings = room.watch.readings()
        incident = _known(room, incident_id) or incidents.one(room.sources.alerting, incident_id)
        return render_template(
            template,
            incident=incident,
            evidence=evidence_of(incident, readings["series"].value or []),
            problem=readings["open"].problem,
            settings=room.settings(),
            at=room.clock.now(),
        )

    @pages.get("/incidents/<incident_id>")
    def page(incident_id: str) -> str:
        return _show("incident.html", incident_id)

    @pages.get("/incidents/<incident_id>/content")
    def fragment(incident_id: str) -> str:
        return _show("incident_content.html", incident_id)

    return pages


def _known(room: Room, incident_id: str) -> Incident | None:
    """Return the incident from the latest readings, so that most pages wait for nobody."""
    readings = room.watch.readings()
    lists = (readings["open"].value or [], readings["resolved"].value or [])
    return next((one for found in lists for one in found if one.id == incident_id), None)
