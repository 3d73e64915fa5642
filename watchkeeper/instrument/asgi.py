"""HTTP requests of an ASGI application (FastAPI, Starlette), by route template."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from watchkeeper.instrument.http_labels import FAILED, method_label
from watchkeeper.instrument.tracing import Exemplar

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

AsgiRouteOf = Callable[[Scope], str | None]

CLIENT_LEFT = "499"
"""The client hung up before there was an answer; nginx' number for it."""

ANY_MOUNT = "{mount}"
"""Stands for where an application is mounted whose place is part of the address."""


class Meter(Protocol):
    """Where a request is noted."""

    def begin(self, method: str) -> None:
        """Note a request that begins to be served."""

    def end(
        self, method: str, route: str, status: str, took_seconds: float, trace: Exemplar | None
    ) -> None:
        """Note a request that has been served, and the trace it was served in."""

    def route(self, request: Scope, route_of: AsgiRouteOf) -> str:
        """Return the template of the request's route, or ``unmatched``; never raises."""

    def trace(self) -> Exemplar | None:
        """Return the trace that is under way, or None; never raises."""


def starlette_route(scope: Scope) -> str | None:
    """Return the template FastAPI or Starlette matched, such as ``/tasks/{task_id}``, or None.

    The router leaves the route in the scope, and where it is mounted in ``root_path``. A mount
    that takes parameters holds their values there, which must not become a label.
    """
    route = scope.get("route")
    path = getattr(route, "path", None)
    if path is None:
        return None
    mounted = str(scope.get("root_path", "")).removeprefix(str(scope.get("app_root_path", "")))
    own = getattr(route, "param_convertors", {})
    if set(scope.get("path_params", ())) - set(own):
        mounted = ANY_MOUNT
    return f"{mounted}{path}"


class MeasuredAsgi:
    """An ASGI application, measured; anything but HTTP passes through."""

    def __init__(self, app: AsgiApplication, meter: Meter, route_of: AsgiRouteOf) -> None:
        self._app = app
        self._meter = meter
        self._route_of = route_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method, status = method_label(scope.get("method", "")), FAILED
        trace = self._meter.trace()

        async def noting(message: Message) -> None:
            nonlocal status, trace
            if message["type"] == "http.response.start":
                status = str(message["status"])
                # A span that was begun inside of the application is still current.
                trace = self._meter.trace() or trace
            await send(message)

        began = time.perf_counter()
        self._meter.begin(method)
        try:
            await self._app(scope, receive, noting)
        except asyncio.CancelledError:
            status = CLIENT_LEFT if status == FAILED else status
            raise
        finally:
            route = self._meter.route(scope, self._route_of)
            self._meter.end(method, route, status, time.perf_counter() - began, trace)
