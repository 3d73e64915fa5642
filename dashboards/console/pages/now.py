"""The first page: what is happening."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, render_template

from dashboards.boards import every_board
from dashboards.console.now import compose
from dashboards.console.room import Room
from dashboards.spec import Dashboard, Panel

FRESH_SECONDS = 5.0
"""Even when nothing changes, what is shown as recent moves on with time."""


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

    whole = Remembered(lambda: _render(room, "now.html"))
    content = Remembered(lambda: _render(room, "now_content.html"))

    def _moment() -> tuple[int, int]:
        return room.watch.revision, int(room.clock.now().timestamp() / FRESH_SECONDS)

    @pages.get("/")
    def now() -> str:
        return whole.text(*_moment())

    @pages.get("/now")
    def fragment() -> str:
        return content.text(*_moment())

    return pages


def _render(room: Room, template: str) -> str:
    settings, now = room.settings(), room.clock.now()
    content = compose(room.watch.readings(), settings, now=now)
    return render_template(template, page=content, settings=settings, at=now, vitals=VITALS)


class Remembered:
    """The last text rendered and what it was rendered for: many open pages ask for the same."""

    def __init__(self, render: Callable[[], str]) -> None:
        self._render = render
        self._lock = threading.Lock()
        self._for: tuple[object, ...] = ()
        self._text = ""

    def text(self, *wanted_for: object) -> str:
        """Return the text for ``wanted_for``, rendered at most once for the same."""
        with self._lock:
            if wanted_for != self._for:
                self._text = self._render()
                self._for = wanted_for
            return self._text
