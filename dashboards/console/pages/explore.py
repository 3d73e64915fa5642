"""Explore: any expression or catalogue metric, with a band on demand."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, render_template, request

from dashboards.console import exploration
from dashboards.console.exploration import Exploration
from dashboards.console.reading import take
from dashboards.console.room import Room
from dashboards.console.window import RANGES_SECONDS


def blueprint(room: Room) -> Blueprint:
    """Return the page's route and its data's."""
    pages = Blueprint("explore", __name__)
    prometheus = room.sources.prometheus

    @pages.get("/explore")
    def page() -> str:
        asked, now = Exploration.read(request.args), room.clock.now()
        values = (
            take(lambda: exploration.values_now(prometheus, asked, now=now), now=now)
            if asked.expression
            else None
        )
        watched = list((room.watch.readings()["queries"].value or {}).values())
        return render_template(
            "explore.html",
            asked=asked,
            values=values,
            address=urlencode(_arguments(asked)),
            ranges=RANGES_SECONDS,
            known=exploration.catalogue(),
            watched=exploration.watched_as(asked.expression, watched),
        )

    @pages.get("/api/explore")
    def data() -> Response:
        asked = Exploration.read(request.args)
        chart = exploration.chart_of(prometheus, asked, now=room.clock.now())
        return jsonify(chart.as_json())

    return pages


def _arguments(asked: Exploration) -> dict[str, str]:
    band = {"band": "1"} if asked.wants_band else {}
    return {"query": asked.expression, **asked.window.query(), **band}
