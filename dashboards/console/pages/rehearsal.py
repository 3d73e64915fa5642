"""What would changed rules have done last week? Asked before they are put in force."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from dashboards.console import configuration, person, rehearsal
from dashboards.console.reading import take
from dashboards.console.room import Room
from watchkeeper.roles import Role


def blueprint(room: Room) -> Blueprint:
    """Return the routes of the question and of its answer."""
    pages = Blueprint("rehearsal", __name__)

    @pages.get("/rules/rehearsal")
    def question() -> str:
        return _page(text="", days="7", answer=None)

    @pages.post("/rules/rehearsal")
    def answer() -> str | tuple[str, int]:
        text = request.form.get("rules", "")[: rehearsal.LETTERS]
        days = request.form.get("days", "7")
        if not text.strip() or days not in rehearsal.DAYS:
            wrong = "Put in the rules to be tried."
            return _page(text=text, days="7", answer=None, wrong=wrong), 400
        found = take(lambda: _rehearsed(room, text, days), now=room.clock.now())
        return _page(text=text, days=days, answer=found)

    return pages


def _rehearsed(room: Room, text: str, days: str) -> rehearsal.Rehearsal:
    [alerting] = configuration.files_of(room.sources.alerting)
    return rehearsal.rehearse(alerting.text, text, days=days)


def _page(**content: object) -> str:
    may = person.may(Role.ADMIN)
    return render_template("rehearsal.html", lengths=rehearsal.DAYS, may=may, **content)
