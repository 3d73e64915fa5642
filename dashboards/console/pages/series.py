"""One watched series in its band, as a page and as data."""

from __future__ import annotations

from flask import Blueprint, Response, abort, jsonify, render_template, request

from dashboards.console import anomalies, chart
from dashboards.console.now import units_of
from dashboards.console.room import Room
from dashboards.spec import Unit

MINUTES = (15, 30, 60, 180, 720, 1440)
"""How far back a series can be looked at."""


def blueprint(room: Room) -> Blueprint:
    """Return the page's route and the data's."""
    pages = Blueprint("series", __name__)

    def _one(series_id: str) -> anomalies.Series:
        return anomalies.one(room.sources.anomaly, series_id, minutes=_minutes(room))

    @pages.get("/series/<path:series_id>")
    def page(series_id: str) -> str:
        series = _one(series_id)
        return render_template(
            "series.html",
            series=series,
            unit=_unit(room, series),
            minutes=_minutes(room),
            choices=MINUTES,
            settings=room.settings(),
            at=room.clock.now(),
        )

    @pages.get("/api/series/<path:series_id>")
    def data(series_id: str) -> Response:
        return _data(room, _one(series_id))

    return pages


def _data(room: Room, series: anomalies.Series) -> Response:
    return jsonify(chart.of_series(series, _unit(room, series)).as_json())


def _unit(room: Room, series: anomalies.Series) -> Unit:
    return units_of(room.watch.readings()).get(series.query, Unit.PLAIN)


def _minutes(room: Room) -> int:
    text = request.args.get("minutes", str(room.settings().chart_minutes))
    if not text.isdecimal() or not 1 <= int(text) <= MINUTES[-1]:
        abort(400, f"minutes: expected a whole number from 1 to {MINUTES[-1]}")
    return int(text)
