"""By whom it is watched: the agents' collectors."""

from __future__ import annotations

from flask import Blueprint, render_template

from dashboards.console import collectors
from dashboards.console.reading import take
from dashboards.console.room import Room


def blueprint(room: Room) -> Blueprint:
    """Return the page's route."""
    pages = Blueprint("watching", __name__)

    @pages.get("/agents")
    def agents_page() -> str:
        found = take(lambda: collectors.listed(room.sources.prometheus), now=room.clock.now())
        return render_template("agents.html", collectors=found)

    return pages
