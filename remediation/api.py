"""The endpoint's HTTP interface."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from flask import Response, jsonify, request
from werkzeug.exceptions import NotFound

from remediation.caretaker import Caretaker
from remediation.crew import Crew
from remediation.ledger import Entry, Ledger
from remediation.openapi import document
from remediation.reception import Reception
from remediation.refusal import CallRefused
from remediation.returns import Returns
from remediation.settings import EndpointSettings
from watchkeeper import addresses
from watchkeeper.catalogue import watchkeeper as own
from watchkeeper.clock import SystemClock
from watchkeeper.configuration import WatchedFile
from watchkeeper.errors import UpstreamError
from watchkeeper.reloading import follow
from watchkeeper.serving import Service
from watchkeeper.storage import open_database, sqlite_url
from watchkeeper.supervisor.client import SupervisorClient

MAX_CALL_BYTES = 1 << 20
LIST_LIMIT = 200

ACTION_BUCKETS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80)
"""From a cache of a few keys to a service that takes its time to be ready."""


def make_service(config: Path) -> Service:
    """Return the endpoint, with what an earlier life left undone settled.

    Raises:
        ConfigError: the configuration cannot be used.
        StorageError: the ledger cannot be opened.
    """
    service = Service("remediation", import_name=__name__)
    service.app.config["MAX_CONTENT_LENGTH"] = MAX_CALL_BYTES
    file = follow(service, config, EndpointSettings)
    clock = SystemClock()
    calls = own.ENDPOINT_CALLS.counter(service.registry)
    seconds = own.ENDPOINT_DURATION.histogram(service.registry, ACTION_BUCKETS_SECONDS)
    database = addresses.data_dir() / "remediation" / "ledger.sqlite"
    engine = open_database(sqlite_url(database))
    ledger, returns = Ledger(engine), Returns(engine)
    crew = Crew(ledger, returns, lambda: file.current, clock=clock, calls=calls, seconds=seconds)
    for entry in ledger.recover(now=clock.now()):
        crew.take_on(entry)
    caretaker = Caretaker(returns, ledger, crew, clock=clock)
    caretaker.start()
    service.on_stop(caretaker.stop)
    reception = Reception(ledger, crew, lambda: file.current, clock=clock, calls=calls)
    service.readiness.add("supervisor", lambda: _supervisor_problem(file))
    _add_routes(service, reception, ledger, returns)
    return service


def _add_routes(service: Service, reception: Reception, ledger: Ledger, returns: Returns) -> None:
    app = service.app
    app.add_url_rule("/api/openapi.json", view_func=lambda: jsonify(document()))

    @app.post("/api/v1/actions")
    def take() -> tuple[Response, int]:
        headers = {name.lower(): value for name, value in request.headers.items()}
        entry = reception.receive(headers, request.get_data())
        return jsonify(idempotency_key=entry.idempotency_key, state=entry.state), 202

    @app.get("/api/v1/actions")
    def newest() -> Response:
        return jsonify(actions=[_shown(entry) for entry in ledger.newest(LIST_LIMIT)])

    @app.get("/api/v1/actions/<key>")
    def one(key: str) -> Response:
        entry = ledger.find(key)
        if entry is None:
            raise NotFound(f"no call with idempotency key {key!r} was taken")
        return jsonify(_shown(entry))

    @app.get("/api/v1/returns")
    def to_be_put_back() -> Response:
        return jsonify(returns=[asdict(one) for one in returns.pending()])

    @app.errorhandler(CallRefused)
    def refused(error: CallRefused) -> tuple[Response, int]:
        return jsonify(error={"reason": error.outcome, "message": str(error)}), error.status


def _shown(entry: Entry) -> dict[str, Any]:
    times = {"accepted_at": entry.accepted_at, "finished_at": entry.finished_at or None}
    return {**asdict(entry), **times}


def _supervisor_problem(file: WatchedFile[EndpointSettings]) -> str | None:
    if not file.current.actions.of_the_supervisor():
        return None
    try:
        SupervisorClient(timeout_seconds=1.0).processes()
    except UpstreamError as error:
        return str(error)
    return None
