"""HTTP requests served, by route template: OpenTelemetry's names for WSGI and ASGI."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from prometheus_client import CollectorRegistry

from watchkeeper.catalogue import http
from watchkeeper.instrument.asgi import (
    AsgiApplication,
    AsgiRouteOf,
    MeasuredAsgi,
    starlette_route,
)
from watchkeeper.instrument.buckets import HTTP_SECONDS
from watchkeeper.instrument.guard import Guard
from watchkeeper.instrument.http_labels import FAILED, UNMATCHED, method_label
from watchkeeper.instrument.tracing import Exemplar, current_exemplar

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

RouteOf = Callable[["WSGIEnvironment"], str | None]
Request = TypeVar("Request")


def flask_route(environ: WSGIEnvironment) -> str | None:
    """Return the route template Flask matched, such as ``/tasks/<uuid:task_id>``, or None.

    Werkzeug leaves the request in the environment while it is answered, so Flask itself need not be
    imported.
    """
    rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
    return None if rule is None else str(rule.rule)


class HttpMetrics:
    """Duration and number of the HTTP requests an application serves."""

    def __init__(self, service: str, registry: CollectorRegistry, guard: Guard) -> None:
        self._service = service
        self._guard = guard
        self._duration = http.REQUEST_DURATION.histogram(registry, HTTP_SECONDS)
        self._active = http.ACTIVE_REQUESTS.gauge(registry)

    def wrap(self, app: WSGIApplication, route_of: RouteOf = flask_route) -> WSGIApplication:
        """Return ``app`` measured.

        Args:
            app: the innermost application, so that what is mounted outside is not measured.
            route_of: asked when the application begins its answer; None counts as unmatched.
        """

        def measured(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            exchange = _Exchange(self, environ, route_of)
            return exchange.run(app, start_response)

        return measured

    def wrap_asgi(
        self, app: AsgiApplication, route_of: AsgiRouteOf = starlette_route
    ) -> AsgiApplication:
        """Return an ASGI ``app`` measured.

        Args:
            app: the innermost application, so that what is mounted outside is not measured.
            route_of: asked when the application has answered; None counts as unmatched.
        """
        return MeasuredAsgi(app, self, route_of)

    def begin(self, method: str) -> None:
        """Note a request that begins to be served."""
        with self._guard.around("http"):
            self._active.labels(self._service, method).inc()

    def end(
        self, method: str, route: str, status: str, took_seconds: float, trace: Exemplar | None
    ) -> None:
        """Note a request that has been served, and the trace it was served in."""
        with self._guard.around("http"):
            self._active.labels(self._service, method).dec()
            labels = (self._service, method, route, status)
            self._duration.labels(*labels).observe(took_seconds, trace)

    def route(self, request: Request, route_of: Callable[[Request], str | None]) -> str:
        """Return the template of the request's route, or ``unmatched``; never raises."""
        with self._guard.around("http"):
            return route_of(request) or UNMATCHED
        return UNMATCHED

    def trace(self) -> Exemplar | None:
        """Return the trace that is under way, or None; never raises."""
        with self._guard.around("tracing"):
            return current_exemplar()
        return None


class _Exchange:
    """One request and its answer, from the first byte asked to the body's close."""

    def __init__(self, metrics: HttpMetrics, environ: WSGIEnvironment, route_of: RouteOf) -> None:
        self._method = method_label(environ.get("REQUEST_METHOD", ""))
        self._metrics = metrics
        self._environ = environ
        self._route_of = route_of
        self._route = UNMATCHED
        self._status = FAILED
        self._trace = metrics.trace()
        self._open = True
        self._body: Iterable[bytes] = ()
        self._started = time.perf_counter()
        metrics.begin(self._method)

    def run(self, app: WSGIApplication, start_response: StartResponse) -> Iterable[bytes]:
        def noting(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            self._status = status[:3]
            # Flask forgets the request as soon as its application returns, and ends a span that
            # was begun inside of it: ask now.
            self._route = self._metrics.route(self._environ, self._route_of)
            self._trace = self._metrics.trace() or self._trace
            return start_response(status, headers, exc_info)

        try:
            self._body = app(self._environ, noting)
        except BaseException:
            self._finish()
            raise
        return self

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """End the exchange; servers call this whether or not the body was sent in full."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._finish()

    def _finish(self) -> None:
        if self._open:
            self._open = False
            took_seconds = time.perf_counter() - self._started
            self._metrics.end(self._method, self._route, self._status, took_seconds, self._trace)
