"""The pages of an operated service: /metrics, /healthz, /readyz, mounted or on their own port."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from watchkeeper.instrument.control import control_pages

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

IDLE_CONNECTION_SECONDS = 10.0
"""A client that connects and stays silent is dropped after this, so it cannot hold a thread."""

Problems = Callable[[], Mapping[str, str]]
"""Returns why the service is not doing its job, by check; empty means ready."""


class OperationalPages:
    """A WSGI application of a few pages.

    Args:
        service: the application's name.
        registry: what /metrics shows.
        problems: asked at each /readyz.
        control_token: opens the doors of ``control`` to whoever shows it; shut without one.
    """

    def __init__(
        self,
        service: str,
        registry: CollectorRegistry,
        problems: Problems = dict,
        *,
        control_token: str = "",
    ) -> None:
        self._service = service
        self._problems = problems
        self._pages: dict[str, WSGIApplication] = {
            "/metrics": make_wsgi_app(registry),
            "/healthz": self._alive,
            "/readyz": self._ready,
        }
        if control_token:
            self._pages |= control_pages(control_token)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; 404 for any other path."""
        page = self._pages.get(environ.get("PATH_INFO", ""), _not_found)
        return page(environ, start_response)

    def mount(self, app: WSGIApplication) -> WSGIApplication:
        """Return ``app`` with these pages in front of it."""

        def mounted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            page = self._pages.get(environ.get("PATH_INFO", ""), app)
            return page(environ, start_response)

        return mounted

    def _alive(self, _: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return _json(start_response, "200 OK", {"status": "alive", "service": self._service})

    def _ready(self, _: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        problems = self._asked()
        status = "503 Service Unavailable" if problems else "200 OK"
        word = "not ready" if problems else "ready"
        body = {"status": word, "service": self._service, "reasons": problems}
        return _json(start_response, status, body)

    def _asked(self) -> dict[str, str]:
        try:
            return dict(self._problems())
        except Exception as error:  # supervised boundary: a check that fails is an answer, too
            log.warning("the readiness check failed", exc_info=True)
            return {"check": f"the check itself failed: {type(error).__name__}"}


class PageServer:
    """Serves the pages from a thread, for processes that are no web server themselves.

    Attributes:
        port: the bound port; of use when 0 was asked for.
    """

    def __init__(self, pages: OperationalPages, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = make_server(host, port, pages, _Server, _Handler)
        self.port: int = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="operational-pages", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = IDLE_CONNECTION_SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # inherited name
        """Stay quiet: a line for every scrape helps nobody."""


def _not_found(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return _json(start_response, "404 Not Found", {"error": "no such page"})


def _json(start_response: StartResponse, status: str, body: object) -> list[bytes]:
    data = json.dumps(body).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(data)))]
    start_response(status, headers)
    return [data]
