"""Server-sent events: a word to open pages whenever there is something new."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from flask import Blueprint, Response, abort

from dashboards.console.room import Room
from watchkeeper.clock import format_rfc3339

STREAMS = 200
"""Browsers that are told at the same time; more ask by themselves every few seconds."""

ALIVE_SECONDS = 10.0
"""How often a quiet stream says that it is not dead; proxies cut what is silent for longer."""

RETRY_MILLISECONDS = 2000


def blueprint(room: Room) -> Blueprint:
    """Return the stream's route."""
    pages = Blueprint("events", __name__)
    places = threading.BoundedSemaphore(STREAMS)

    @pages.get("/events")
    def events() -> Response:
        if not places.acquire(blocking=False):
            abort(503, f"{STREAMS} pages are being told already; this one may ask instead")
        stream = Response(_stream(room), mimetype="text/event-stream")
        stream.call_on_close(places.release)
        return stream

    return pages


def _stream(room: Room) -> Iterator[str]:
    yield f"retry: {RETRY_MILLISECONDS}\n\n"
    seen = -1
    while not room.watch.is_stopping:
        revision = room.watch.wait_for_change(seen, timeout_seconds=ALIVE_SECONDS)
        if revision == seen:
            yield f"event: alive\ndata: {format_rfc3339(room.clock.now())}\n\n"
        else:
            yield f"event: changed\ndata: {revision}\n\n"
        seen = revision
