"""The control socket: JSON over HTTP on a Unix socket that only this user may open."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import waitress
from flask import Response, jsonify, request

from watchkeeper.connections import connection_limit, descriptors_allowed
from watchkeeper.errors import Refused
from watchkeeper.serving import (
    IDLE_CONNECTION_SECONDS,
    MAX_REQUEST_BYTES,
    Service,
)
from watchkeeper.supervisor.operations import Operations
from watchkeeper.supervisor.status import ProcessStatus

THREADS = 6
"""A restart keeps one busy until the process is ready."""


@contextmanager
def serving(operations: Operations, socket_path: Path) -> Iterator[None]:
    """Answer on ``socket_path`` while inside."""
    server = waitress.create_server(
        make_service(operations).app,
        unix_socket=str(socket_path),
        unix_socket_perms="600",
        threads=THREADS,
        ident=None,
        max_request_body_size=MAX_REQUEST_BYTES,
        connection_limit=connection_limit(descriptors_allowed()),
        channel_timeout=IDLE_CONNECTION_SECONDS,
    )
    threading.Thread(target=server.run, name="control", daemon=True).start()
    try:
        yield
    finally:
        # A request that ends just now wakes the server as well, which closes before we knock.
        with suppress(OSError):
            server.trigger.pull_trigger(server.close)


def make_service(operations: Operations) -> Service:
    """Return the application that passes requests on to ``operations``."""
    service = Service("supervisor", import_name=__name__)
    app = service.app

    @app.get("/processes")
    def processes() -> Response:
        return _json(operations.processes())

    @app.post("/processes/<name>/restart")
    def restart(name: str) -> Response:
        return _json(operations.restart(name, _instance(_body())))

    @app.post("/processes/<name>/scale")
    def scale(name: str) -> Response:
        return _json(operations.scale(name, _whole(_body(), "instances")))

    @app.post("/processes/<name>/kill")
    def kill(name: str) -> Response:
        body = _body()
        return _json(operations.kill(name, _signal(body), _instance(body)))

    return service


def _json(statuses: list[ProcessStatus]) -> Response:
    return jsonify([status.to_json() for status in statuses])


def _body() -> dict[str, Any]:
    # Whatever the content type says: a body that is passed over would mean "all instances".
    text = request.get_data()
    try:
        body = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Refused("expected a JSON object")
    return body


def _whole(body: dict[str, Any], key: str) -> int:
    value = body.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused(f"{key}: expected a whole number, got {value!r}")
    return value


def _instance(body: dict[str, Any]) -> int | None:
    return None if body.get("instance") is None else _whole(body, "instance")


def _signal(body: dict[str, Any]) -> signal.Signals:
    name = str(body.get("signal", "KILL")).upper().removeprefix("SIG")
    try:
        return signal.Signals[f"SIG{name}"]
    except KeyError:
        raise Refused(f"signal: expected a name such as KILL or TERM, got {name!r}") from None
