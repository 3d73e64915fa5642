"""A runbook as a page, for the person woken by its alert."""

from __future__ import annotations

from flask import Blueprint, abort, render_template

from dashboards.console import runbook
from dashboards.console.room import Room


def blueprint(_room: Room) -> Blueprint:
    """Return the page's route."""
    pages = Blueprint("runbooks", __name__)

    @pages.get("/runbooks/<name>")
    def page(name: str) -> str:
        blocks = runbook.find(name)
        if blocks is None:
            abort(404, f"there is no runbook {name}")
        return render_template("runbook.html", name=name, blocks=blocks)

    return pages
