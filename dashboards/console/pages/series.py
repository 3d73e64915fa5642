"""One watched series in its band, as a page and as data."""

from __future__ import annotations

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for

from dashboards.console import anomalies, chart, feedback, person
from dashboards.console.now import units_of
from dashboards.console.reading import take
from dashboards.console.room import Room
from dashboards.spec import Unit
from watchkeeper.roles import Role
from watchkeeper.serving import TurnedAway

MINUTES = (15, 30, 60, 180, 720, 1440)
"""How far back a series can be looked at."""


def blueprint(room: Room) -> Blueprint:
    """Return the page's route and the data's."""
    pages = Blueprint("series", __name__)

    def _one(series_id: str) -> anomalies.Series:
        return anomalies.one(room.sources.anomaly, series_id, minutes=_minutes(room))

    @pages.get("/series/<path:series_id>")
    def page(series_id: str) -> str:
        return _page(series_id)

    def _page(series_id: str, *, wrong: str | None = None) -> str:
        series = _one(series_id)
        said = take(lambda: feedback.listed(room.sources.anomaly), now=room.clock.now())
        return render_template(
            "series.html",
            series=series,
            said=feedback.about(said.value or [], series.query, series.labels),
            kinds=feedback.KINDS if person.may(Role.OPERATOR) else {},
            wrong=wrong,
            unit=_unit(room, series),
            minutes=_minutes(room),
            choices=MINUTES,
            settings=room.settings(),
            at=room.clock.now(),
        )

    @pages.post("/series/<path:series_id>")
    def say(series_id: str) -> TurnedAway | tuple[str, int]:
        by, kind, undo = person.said(), request.form.get("kind", ""), request.form.get("undo", "")
        reason = request.form.get("reason", "").strip()[: feedback.REASON_LETTERS]
        if not by or not (undo or (kind in feedback.KINDS and reason)):
            wrong = "Say who you are, what you mean, and why: it is kept with your name."
            return _page(series_id, wrong=wrong), 400
        if undo:
            feedback.take_back(room.sources.anomaly, undo, by=by)
        else:
            feedback.say(room.sources.anomaly, kind, series_id, by=by, reason=reason)
        answer = redirect(url_for("series.page", series_id=series_id), 303)
        person.remember(answer)
        return answer

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
