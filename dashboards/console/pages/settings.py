"""The configuration in force, part by part."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, render_template

from dashboards.console import configuration
from dashboards.console.configuration import ConfigurationFile
from dashboards.console.reading import Reading, take
from dashboards.console.room import Room
from watchkeeper.in_force import settings_told


def blueprint(room: Room) -> Blueprint:
    """Return the page's route."""
    pages = Blueprint("settings", __name__)

    @pages.get("/settings")
    def page() -> str:
        now = room.clock.now()
        own = ConfigurationFile(file="console.yml", settings=settings_told(room.settings()))
        parts: dict[str, Reading[list[ConfigurationFile]]] = {
            "console": take(lambda: [own], now=now)
        }
        for name, peer in room.sources.parts.items():
            parts[name] = take(partial(configuration.files_of, peer), now=now)
        return render_template("settings.html", told_by_part=parts)

    return pages
