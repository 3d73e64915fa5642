"""What is watched and by whom: rules and anomaly queries, and the agents' collectors."""

from __future__ import annotations

from flask import Blueprint, render_template

from dashboards.console import collectors, rules
from dashboards.console.reading import take
from dashboards.console.room import Room


def blueprint(room: Room) -> Blueprint:
    """Return the routes of both pages."""
    pages = Blueprint("watching", __name__)

    @pages.get("/rules")
    def rules_page() -> str:
        return render_template(
            "rules.html",
            rules=take(lambda: rules.by_urgency(room.sources.prometheus), now=room.clock.now()),
            queries=room.watch.readings()["queries"],
        )

    @pages.get("/agents")
    def agents_page() -> str:
        found = take(lambda: collectors.listed(room.sources.prometheus), now=room.clock.now())
        return render_template("agents.html", collectors=found)

    return pages
