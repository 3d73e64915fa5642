"""The first page: what is happening."""

from __future__ import annotations

from flask import Blueprint, render_template

from dashboards.console.now import compose
from dashboards.console.room import Room


def blueprint(room: Room) -> Blueprint:
    """Return the routes of the page and of the part of it that is refreshed."""
    pages = Blueprint("now", __name__)

    def _show(template: str) -> str:
        settings = room.settings()
        content = compose(room.watch.readings(), settings, now=room.clock.now())
        return render_template(template, page=content, settings=settings, at=room.clock.now())

    @pages.get("/")
    def now() -> str:
        return _show("now.html")

    @pages.get("/now")
    def fragment() -> str:
        return _show("now_content.html")

    return pages
