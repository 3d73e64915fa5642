"""The kill switch: stop all automatic actions, and let them run again."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request

from dashboards.console import person, work
from dashboards.console.room import Room
from watchkeeper.serving import TurnedAway

REASON_LETTERS = 500


def blueprint(room: Room) -> Blueprint:
    """Return the routes of the page and of both buttons; alerting keeps who pressed and why."""
    pages = Blueprint("switch", __name__)

    def _page(wrong: str | None = None) -> str:
        switch = work.switch(room.sources.alerting)
        return render_template("switch.html", switch=switch, wrong=wrong)

    @pages.get("/actions-switch")
    def page() -> str:
        return _page()

    @pages.post("/actions-switch")
    def press() -> TurnedAway | tuple[str, int]:
        wanted = request.form.get("wanted", "")
        reason = request.form.get("reason", "").strip()[:REASON_LETTERS]
        by = person.said()
        if wanted not in ("pause", "resume") or not reason or not by:
            wrong = "Say who you are and why: both are kept in the audit trail."
            return _page(wrong), 400
        room.sources.alerting.post(f"/api/v1/{wanted}", {"reason": reason, **person.signature(by)})
        room.watch.ask("switch")
        answer = redirect("/actions-switch", 303)
        person.remember(answer)
        return answer

    return pages
