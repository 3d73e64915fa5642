"""Server-sent events: a word to open pages whenever there is something new."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from flask import Blueprint, Response, abort

from dashboards.console.room import Room
from watchkeeper.clock import format_rfc3339
from watchkeeper.serving import client_is_gone

STREAMS = 250
"""Browsers that are told at the same time; more ask by themselves every few seconds."""

ALIVE_SECONDS = 10.0
"""How often a quiet stream says that it is not dead; proxies cut what is silent for longer."""

LOOK_SECONDS = 2.0
"""How soon a page that was left gives its place to another."""

RETRY_MILLISECONDS = 2000


def blueprint(room: Room) -> Blueprint:
    """Return the stream's route."""
    pages = Blueprint("events", __name__)
    places = threading.BoundedSemaphore(STREAMS)

    @pages.get("/events")
    def events() -> Response:
        if not places.acquire(blocking=False):
            abort(503, f"{STREAMS} pages are being told already; this one may ask instead")
        stream = Response(_stream(room, client_is_gone()), mimetype="text/event-stream")
        stream.call_on_close(places.release)
        return stream

    return pages


def _stream(room: Room, is_gone: Callable[[], bool]) -> Iterator[str]:
    yield f"retry: {RETRY_MILLISECONDS}\n\n"
    seen, silent_seconds = -1, 0.0
    while not room.watch.is_stopping and not is_gone():
        revision = room.watch.wait_for_change(seen, timeout_seconds=LOOK_SECONDS)
        silent_seconds += LOOK_SECONDS
        if revision != seen:
            seen, silent_seconds = revision, 0.0
            yield f"event: changed\ndata: {revision}\n\n"
        elif silent_seconds >= ALIVE_SECONDS:
            silent_seconds = 0.0
            yield f"event: alive\ndata: {format_rfc3339(room.clock.now())}\n\n"
