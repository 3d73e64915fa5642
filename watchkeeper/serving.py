"""The HTTP shell of a service: /metrics, /healthz, /readyz, one error shape, and its guards."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping
from types import FrameType

import waitress
from flask import Flask, Response, g, jsonify, request
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from watchkeeper import __version__, addresses
from watchkeeper.admission import OPEN_PATHS, Ask, Refusal, admit, check_role
from watchkeeper.catalogue import watchkeeper as own
from watchkeeper.connections import connection_limit, descriptors_allowed
from watchkeeper.errors import ConfigError, Refused, StorageError, UpstreamError, WatchkeeperError
from watchkeeper.health import Readiness
from watchkeeper.listen import parse_listen, require_guarded
from watchkeeper.logs import get_logger
from watchkeeper.rate_limit import CallerLimits
from watchkeeper.roles import NOBODY, Identity, Role, usual_role
from watchkeeper.timed_channel import time_requests
from watchkeeper.tokens import TokenFile

log = get_logger(__name__)

MAX_REQUEST_BYTES = 16 << 20
"""The largest body we take: some 10,000 alerts. Larger ones are refused before they are read."""

IDLE_CONNECTION_SECONDS = 20
"""Connections on which nothing comes are cut after this long."""

PACKET_BYTES = 18_000
"""waitress' own default: whole packets for ordinary answers."""

TurnedAway = Response | WerkzeugResponse | tuple[Response, int]

_STATUS_OF = {Refused: 409, StorageError: 503, UpstreamError: 502, ConfigError: 422}


class Service:
    """A named Flask application with what every service has.

    Attributes:
        app: add routes and blueprints here.
        registry: add metrics here; process and GC metrics are in it already.
        readiness: add checks here.
        roles: what each endpoint asks for, by method and rule such as ``/api/v1/rules/<name>``.
            What is not in it asks for a viewer to look and for an operator to do anything.
        recognise: returns who asks without a token in the header, such as a browser with a session;
            None for a stranger. The role is checked as for anybody.
        limits: how often each caller may ask; None for any number.
        turn_away: answers a request that is refused. A service with pages may show its door
            instead, or return None to let a stranger in.
    """

    def __init__(self, name: str, *, import_name: str) -> None:
        self.name = name
        self.app = Flask(import_name)
        self.registry = CollectorRegistry()
        self.readiness = Readiness()
        self.recognise: Callable[[], Identity | None] = lambda: None
        self.turn_away: Callable[[Refusal], TurnedAway | None] = explain_refusal
        self.roles: Mapping[tuple[str, str], Role] = {}
        self.limits: CallerLimits | None = None
        self._token = addresses.api_token()
        self._tokens = TokenFile(addresses.named_tokens_file())
        self._server: waitress.server.BaseWSGIServer | None = None
        self._stopping_hooks: list[Callable[[], None]] = []
        self._stop_hooks: list[Callable[[], None]] = []
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        own.BUILD_INFO.gauge(self.registry).labels(name, __version__).set(1)
        ready = own.READY.gauge(self.registry).labels(name)
        ready.set_function(lambda: float(not self.readiness.problems()))
        self._add_routes()

    @property
    def waiting_requests(self) -> int:
        """How many requests have come for which no thread is free yet."""
        return len(self._server.task_dispatcher.queue) if self._server else 0

    def on_stop(self, hook: Callable[[], None]) -> None:
        """Call ``hook`` once when the service is asked to stop, last added first."""
        self._stop_hooks.append(hook)

    def on_stopping(self, hook: Callable[[], None]) -> None:
        """Call ``hook`` the moment the service is asked to stop, before answers under way end.

        It is for ending answers that would not end by themselves, and must not block.
        """
        self._stopping_hooks.append(hook)

    def run(self, listen_text: str, *, threads: int = 8, streams: bool = False) -> None:
        """Serve until SIGTERM or SIGINT, then run the stop hooks.

        Args:
            listen_text: HOST:PORT.
            threads: requests answered at the same time; one that streams holds its thread.
            streams: send each piece of an answer as it comes, not in packets of a fair size, and
                let an answer learn that nobody reads it any more (``client_is_gone``).

        Raises:
            ConfigError: the address reaches other machines and no token is set.
        """
        listen = parse_listen(listen_text)
        require_guarded(listen, self._token)
        listening: dict[int, object] = {}
        server = waitress.create_server(
            self.app,
            map=listening,
            host=listen.host,
            port=listen.port,
            threads=threads,
            ident=None,
            send_bytes=1 if streams else PACKET_BYTES,
            channel_request_lookahead=1 if streams else 0,
            max_request_body_size=MAX_REQUEST_BYTES,
            connection_limit=connection_limit(descriptors_allowed()),
            channel_timeout=IDLE_CONNECTION_SECONDS,
            cleanup_interval=IDLE_CONNECTION_SECONDS // 2,
        )
        time_requests(listening)
        self._server = server
        stopping = threading.Event()

        def stop(_number: int, _frame: FrameType | None) -> None:
            if not stopping.is_set():
                stopping.set()
                for hook in self._stopping_hooks:
                    hook()
                raise SystemExit(0)

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        log.info("listening", extra={"address": listen_text})
        try:
            server.run()
        finally:
            server.close()
            for hook in reversed(self._stop_hooks):
                hook()
            log.info("stopped")

    def _add_routes(self) -> None:
        self.app.before_request(self._guard)
        self.app.register_error_handler(WatchkeeperError, _explain)
        self.app.register_error_handler(HTTPException, _explain_http)
        self.app.add_url_rule("/metrics", view_func=self._metrics)
        self.app.add_url_rule("/healthz", view_func=self._healthz)
        self.app.add_url_rule("/readyz", view_func=self._readyz)

    def _guard(self) -> TurnedAway | None:
        ask = Ask(
            request.path,
            host=request.host,
            authorization=request.headers.get("Authorization", ""),
            origin=request.headers.get("Origin", ""),
            needed=self._needed_role(),
        )
        answer = admit(ask, token=self._token, tokens=self._tokens)
        if isinstance(answer, Refusal) and answer.status == 401:
            known = self.recognise()
            answer = check_role(known, ask.needed) if known else answer
        answer = self._too_often(answer) or answer
        if isinstance(answer, Refusal):
            return self.turn_away(answer)
        g.identity = answer
        return None

    def _too_often(self, answer: Identity | Refusal) -> Refusal | None:
        if self.limits is None or request.path in OPEN_PATHS:
            return None
        address = request.remote_addr or "nowhere"
        return self.limits.refusal(answer, address=address, endpoint=_endpoint())

    def _needed_role(self) -> Role:
        return self.roles.get(_endpoint(), usual_role(request.method))

    def _metrics(self) -> Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(self.registry), content_type=content_type)

    def _healthz(self) -> Response:
        return jsonify(status="alive", service=self.name, version=__version__)

    def _readyz(self) -> tuple[Response, int]:
        problems = self.readiness.problems()
        status = "not ready" if problems else "ready"
        return jsonify(status=status, service=self.name, reasons=problems), 503 if problems else 200


def _endpoint() -> tuple[str, str]:
    return request.method, request.url_rule.rule if request.url_rule else ""


def asker() -> Identity:
    """Return who makes the request under way; a stranger whom ``turn_away`` let in is nobody."""
    identity: Identity = g.get("identity", NOBODY)
    return identity


def client_is_gone() -> Callable[[], bool]:
    """Return what tells, also after the view has returned, whether this request's client left."""
    asked: Callable[[], bool] | None = request.environ.get("waitress.client_disconnected")
    return asked or (lambda: False)


def explain_refusal(refused: Refusal) -> TurnedAway:
    """Return the plain answer to a refused request."""
    answer, status = _error(refused.status, refused.reason, refused.message)
    if refused.retry_after_seconds:
        answer.headers["Retry-After"] = str(refused.retry_after_seconds)
    return answer, status


def _error(status: int, reason: str, message: str) -> tuple[Response, int]:
    return jsonify(error={"reason": reason, "message": message}), status


def _explain(error: WatchkeeperError) -> tuple[Response, int]:
    status = next((code for kind, code in _STATUS_OF.items() if isinstance(error, kind)), 500)
    return _error(status, str(error.reason), str(error))


def _explain_http(error: HTTPException) -> tuple[Response, int]:
    answer, status = _error(error.code or 500, "request", error.description or error.name)
    # What the protocol asks for with a status, such as Allow with 405 (RFC 9110, 15.5.6).
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            answer.headers[name] = value
    return answer, status
