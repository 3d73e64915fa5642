"""The report as a page: the same as the command writes."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from markupsafe import Markup

from dashboards.console.recent import Recent
from dashboards.console.room import Room
from dashboards.report import rendering
from dashboards.report.period import Period
from dashboards.report.report import gather

LENGTHS_SECONDS = {"1h": 3600.0, "24h": 86_400.0, "7d": 604_800.0}
"""What can be chosen, by the word in the address."""

DEFAULT = "24h"
FRESH_SECONDS = 60.0
"""A report is some forty questions to Prometheus; a minute more makes no other report."""


def blueprint(room: Room) -> Blueprint:
    """Return the page's route."""
    pages = Blueprint("report", __name__)
    recent: Recent[str] = Recent(FRESH_SECONDS)

    def _body(length: str) -> str:
        period = Period.last(LENGTHS_SECONDS[length], until=room.clock.now())
        return rendering.body(gather(room.sources.prometheus, room.sources.alerting, period))

    @pages.get("/report")
    def page() -> str:
        asked = request.args.get("last", DEFAULT)
        length = asked if asked in LENGTHS_SECONDS else DEFAULT
        written = recent.get(length, lambda: _body(length))
        return render_template(
            "report_page.html",
            body=Markup(written),  # noqa: S704  # rendered with everything escaped
            length=length,
            lengths=LENGTHS_SECONDS,
        )

    return pages
