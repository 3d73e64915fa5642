"""The first page: what is happening."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template

from dashboards.boards import every_board
from dashboards.console.now import compose
from dashboards.console.room import Room
from dashboards.spec import Dashboard, Panel


@dataclass(frozen=True, slots=True)
class VitalSign:
    """A panel of a dashboard that the first page draws too."""

    dashboard: Dashboard
    panel: Panel
    index: int


VITALS = tuple(
    VitalSign(dashboard, panel, index)
    for dashboard in every_board()
    for index, panel in enumerate(dashboard.panels())
    if panel.is_vital
)


def blueprint(room: Room) -> Blueprint:
    """Return the routes of the page and of the part of it that is refreshed."""
    pages = Blueprint("now", __name__)

    def _show(template: str) -> str:
        settings = room.settings()
        content = compose(room.watch.readings(), settings, now=room.clock.now())
        return render_template(
            template, page=content, settings=settings, at=room.clock.now(), vitals=VITALS
        )

    @pages.get("/")
    def now() -> str:
        return _show("now.html")

    @pages.get("/now")
    def fragment() -> str:
        return _show("now_content.html")

    return pages
