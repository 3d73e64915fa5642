"""One incident: its whole story, the evidence for it, and what can be done about it."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for

from dashboards.console import deeds, person
from dashboards.console.casebook import Casebook
from dashboards.console.evidence import evidence_of
from dashboards.console.now import units_of
from dashboards.console.room import Room
from watchkeeper.roles import Role
from watchkeeper.serving import TurnedAway


def blueprint(room: Room) -> Blueprint:
    """Return the routes of the page, of the part of it that is refreshed, and of its buttons."""
    pages = Blueprint("incident", __name__)
    casebook = Casebook(room.sources.alerting)
    _add_views(pages, room, casebook)
    _add_buttons(pages, room, casebook)
    return pages


def _add_views(pages: Blueprint, room: Room, casebook: Casebook) -> None:
    @pages.get("/incidents/<incident_id>")
    def page(incident_id: str) -> str:
        return _show(room, casebook, "incident.html", incident_id)

    @pages.get("/incidents/<incident_id>/content")
    def fragment(incident_id: str) -> str:
        return _show(room, casebook, "incident_content.html", incident_id)


def _show(
    room: Room, casebook: Casebook, template: str, incident_id: str, *, wrong: str | None = None
) -> str:
    readings, now = room.watch.readings(), room.clock.now()
    incident, problem = casebook.find(incident_id, readings, now=now)
    return render_template(
        template,
        incident=incident,
        evidence=evidence_of(incident, readings["series"].value or []),
        units=units_of(readings),
        deeds=deeds.offered(incident) if person.may(Role.OPERATOR) else {},
        durations=deeds.DURATIONS,
        waiting=casebook.waiting(incident_id, now=now),
        problem=problem,
        wrong=wrong,
        settings=room.settings(),
        at=now,
    )


def _add_buttons(pages: Blueprint, room: Room, casebook: Casebook) -> None:
    alerting = room.sources.alerting

    @pages.post("/incidents/<incident_id>/<deed>")
    def press(incident_id: str, deed: str) -> TurnedAway | tuple[str, int]:
        if deed not in deeds.DEEDS:
            abort(404, f"nothing called {deed} can be done about an incident")
        form = {**request.form.to_dict(), "by": person.said()}
        wrong = deeds.missing(deeds.DEEDS[deed], form)
        if wrong:
            return _show(room, casebook, "incident.html", incident_id, wrong=wrong), 400
        deeds.do(alerting, incident_id, deed, form)
        return _back_to(room, casebook, incident_id)

    @pages.post("/incidents/<incident_id>/actions/<key>/<decision>")
    def decide(incident_id: str, key: str, decision: str) -> TurnedAway | tuple[str, int]:
        if decision not in ("approve", "decline"):
            abort(404, "an action is approved or declined")
        if not person.said():
            return _show(room, casebook, "incident.html", incident_id, wrong=deeds.WHO), 400
        deeds.decide(alerting, key, decision, by=person.said())
        return _back_to(room, casebook, incident_id)


def _back_to(room: Room, casebook: Casebook, incident_id: str) -> TurnedAway:
    casebook.forget()
    room.watch.ask("open")
    answer = redirect(url_for("incident.page", incident_id=incident_id), 303)
    person.remember(answer)
    return answer
