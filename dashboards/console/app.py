"""The console put together: pages, their guards, and what they are given."""

from __future__ import annotations

from flask import Flask

from dashboards.console import compression, headers, person, presentation, problems
from dashboards.console.pages import (
    alerts,
    boards,
    events,
    explore,
    incident,
    login,
    now,
    outgoing,
    rehearsal,
    report,
    rules,
    runbooks,
    series,
    settings,
    switch,
    watching,
)
from dashboards.console.room import Room
from watchkeeper.roles import Role
from watchkeeper.serving import Service

PAGES = (
    now,
    incident,
    alerts,
    series,
    runbooks,
    boards,
    explore,
    rules,
    rehearsal,
    watching,
    outgoing,
    report,
    settings,
    switch,
    events,
    login,
)
"""Each has ``blueprint(room)``."""

ROLES = {
    ("POST", "/login"): Role.VIEWER,
    ("POST", "/logout"): Role.VIEWER,
    ("POST", "/rules/<name>/mode"): Role.ADMIN,
    ("POST", "/rules/rehearsal"): Role.ADMIN,
}
"""What each page asks for; looking is for everybody, and any other deed for operators."""


def furnish(service: Service, room: Room) -> None:
    """Give the service its pages; the caller starts ``room.watch``."""
    presentation.add_to(service.app)
    headers.add_to(service.app)
    compression.add_to(service.app)
    problems.add_to(service.app)
    service.recognise = room.door.recognise
    service.turn_away = room.door.turn_away
    service.roles = ROLES
    service.app.jinja_env.globals["asks_for_login"] = room.door.token is not None
    service.app.jinja_env.globals["asking"] = person
    for page in PAGES:
        service.app.register_blueprint(page.blueprint(room))
    service.readiness.add("sources", lambda: _unasked(room))
    service.on_stopping(room.watch.stop)
    _read_ahead(service.app)


def _read_ahead(app: Flask) -> None:
    """Compile the pages now: the first fifty viewers would all wait for it otherwise."""
    for name in app.jinja_env.list_templates(extensions=["html"]):
        app.jinja_env.get_template(name)


def _unasked(room: Room) -> str | None:
    names = room.watch.unasked()
    return f"still asking {', '.join(names)}" if names else None
