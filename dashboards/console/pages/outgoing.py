"""What was sent and done: messages to people, and actions."""

from __future__ import annotations

from flask import Blueprint, render_template

from dashboards.console import work
from dashboards.console.reading import take
from dashboards.console.room import Room


def blueprint(room: Room) -> Blueprint:
    """Return the page's route."""
    pages = Blueprint("outgoing", __name__)

    @pages.get("/deliveries")
    def page() -> str:
        alerting, now = room.sources.alerting, room.clock.now()
        return render_template(
            "deliveries.html",
            deliveries=take(lambda: work.deliveries(alerting), now=now),
            actions=take(lambda: work.actions(alerting), now=now),
            at=now,
        )

    return pages
