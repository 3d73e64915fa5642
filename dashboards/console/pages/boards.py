"""The dashboards, drawn from the same descriptions as Grafana's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request

from dashboards.annotations import ANNOTATIONS
from dashboards.boards import BOARDS, board, every_board
from dashboards.console import choices, drawing, marks
from dashboards.console.choices import Choices
from dashboards.console.drawing import KINDS, Kind
from dashboards.console.room import Room
from dashboards.console.window import RANGES_SECONDS, window_of
from dashboards.layout import COLUMNS, Place, place
from dashboards.spec import (
    Dashboard,
    Gauge,
    HeatMap,
    Panel,
    Stat,
    StateTimeline,
    Table,
    TimeSeries,
)
from watchkeeper.errors import UpstreamError

REPEATS = 12
"""A repeated panel is drawn for this many values at most; choose a value to see another."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A panel on the page: where its content is asked for, and how wide it is of 24."""

    panel: Panel
    kind: Kind
    title: str
    index: int
    choices: Choices
    width: int
    tall: bool


def blueprint(room: Room) -> Blueprint:
    """Return the routes of the list, of a dashboard, and of its panels."""
    pages = Blueprint("boards", __name__)

    @pages.get("/dashboards")
    def index() -> str:
        return render_template("dashboards.html", boards=every_board())

    @pages.get("/dashboards/<uid>")
    def page(uid: str) -> str:
        return render_template("dashboard.html", **_page(room, _known(uid)))

    @pages.get("/dashboards/<uid>/panels/<int:index>")
    def panel(uid: str, index: int) -> str:
        found, filling, chosen = _asked(room, uid, index)
        if not isinstance(found, Stat | Gauge | Table):
            abort(404, f"panel {index} is a chart; its data is under /api")
        try:
            return _content(room, found, filling, chosen.window.until)
        except UpstreamError as error:  # told in the panel: the rest of the page may have answers
            return render_template("panel_problem.html", problem=str(error))

    @pages.get("/api/dashboards/<uid>/panels/<int:index>")
    def data(uid: str, index: int) -> Response:
        found, filling, chosen = _asked(room, uid, index)
        prometheus, span = room.sources.prometheus, chosen.window.span(room.clock.now())
        if isinstance(found, HeatMap | StateTimeline):
            return jsonify(drawing.cells_of(prometheus, found, filling, span).as_json())
        if not isinstance(found, TimeSeries):
            abort(404, f"panel {index} has no values over time")
        return jsonify(drawing.chart_of(prometheus, found, filling, span).as_json())

    @pages.get("/api/marks")
    def moments() -> Response:
        span = window_of(request.args).span(room.clock.now())
        found = marks.read(room.sources.prometheus, ANNOTATIONS, span)
        return jsonify(marks=[mark.as_json() for mark in found])

    return pages


def _content(
    room: Room, panel: Stat | Gauge | Table, filling: Mapping[str, str], at: datetime | None
) -> str:
    prometheus = room.sources.prometheus
    if isinstance(panel, Table):
        grid = drawing.grid_of(prometheus, panel, filling, at=at)
        return render_template("panel_table.html", grid=grid, panel=panel)
    figure = drawing.figure_of(prometheus, panel, filling, at=at)
    return render_template("panel_figure.html", figure=figure)


def _known(uid: str) -> Dashboard:
    if uid not in BOARDS:
        abort(404, f"there is no dashboard {uid}")
    return board(uid)


def _asked(room: Room, uid: str, index: int) -> tuple[Panel, Mapping[str, str], Choices]:
    dashboard = _known(uid)
    panels = dashboard.panels()
    if index >= len(panels):
        abort(404, f"dashboard {uid} has no panel {index}")
    chosen = choices.choose(dashboard, request.args)
    return panels[index], chosen.filling(dashboard, chosen.window.span(room.clock.now())), chosen


def _page(room: Room, dashboard: Dashboard) -> dict[str, Any]:
    chosen, now = choices.choose(dashboard, request.args), room.clock.now()
    offers, problem = _offers(room, dashboard, chosen)
    return {
        "board": dashboard,
        "boards": every_board(),
        "choices": chosen,
        "earlier": chosen.within(chosen.window.earlier(now)),
        "later": chosen.within(chosen.window.later(now)),
        "present": chosen.within(replace(chosen.window, until=None)),
        "until": chosen.window.end(now),
        "ranges": RANGES_SECONDS,
        "refreshes": choices.REFRESHES_SECONDS,
        "offers": offers,
        "problem": problem,
        "rows": _rows(dashboard, chosen, offers),
    }


def _offers(
    room: Room, dashboard: Dashboard, chosen: Choices
) -> tuple[dict[str, list[str]], str | None]:
    span = chosen.window.span(room.clock.now())
    filling = chosen.filling(dashboard, span)
    try:
        found = {
            variable.name: choices.offered(room.sources.prometheus, variable, filling, span)
            for variable in dashboard.variables
        }
    except UpstreamError as error:
        return {variable.name: [] for variable in dashboard.variables}, str(error)
    return found, None


def _rows(
    dashboard: Dashboard, chosen: Choices, offers: Mapping[str, list[str]]
) -> list[dict[str, Any]]:
    rows, index = [], 0
    for row, _, panels in place(dashboard.rows):
        tiles = []
        for panel, spot in panels:
            tiles += _tiles(panel, index, spot, chosen, offers)
            index += 1
        rows.append({"title": row.title, "collapsed": row.collapsed, "tiles": tiles})
    return rows


def _tiles(
    panel: Panel, index: int, spot: Place, chosen: Choices, offers: Mapping[str, list[str]]
) -> list[Tile]:
    kind = KINDS[type(panel)]
    tall = kind.is_over_time
    if panel.repeat is None:
        return [Tile(panel, kind, panel.title, index, chosen, spot.width, tall)]
    picked = chosen.values.get(panel.repeat)
    values = [picked] if picked else offers[panel.repeat][:REPEATS]
    width = COLUMNS // 3
    return [
        Tile(panel, kind, value, index, chosen.with_value(panel.repeat, value), width, tall)
        for value in values
    ]
