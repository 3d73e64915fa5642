"""The HTTP calls of the kill switch: for everything, for a rule, for a target."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Flask, Response, abort, jsonify

from alerting import actions, kill_switch
from alerting.kill_switch import EVERYTHING, Kind, Scope
from alerting.requests import duration_of, keys, optional_text_of, person, text_of
from watchkeeper.clock import format_rfc3339
from watchkeeper.storage import reading, writing

if TYPE_CHECKING:
    from alerting.app import Alerting

MAX_PAUSE_SECONDS = 90 * 86400.0
"""As with silences: what is to be off longer belongs into the file, as ``mode: off``."""


KEYS = {"reason", "by", "by_is", "duration", "rule", "target"}


def register(app: Flask, alerting: Alerting) -> None:
    """Add the routes."""

    def status() -> Response:
        with reading(alerting.store.engine) as connection:
            pauses = kill_switch.in_force(connection, now=alerting.clock.now())
            under_way = actions.in_flight(connection)
        whole = next((one for one in pauses if one.scope == EVERYTHING), None)
        return jsonify(
            paused=whole is not None,
            reason=whole.reason if whole else None,
            by=whole.by if whole else None,
            since=format_rfc3339(whole.since) if whole else None,
            until=format_rfc3339(whole.until) if whole and whole.until else None,
            pauses=[kill_switch.shown(one) for one in pauses],
            in_flight=under_way,
        )

    @app.get("/api/v1/status")
    def get_status() -> Response:
        return status()

    @app.post("/api/v1/pause")
    def post_pause() -> Response:
        reason, by, scope = text_of("reason"), person(), _scope()
        if scope.kind is Kind.RULE and alerting.configuration.remediation.rule(scope.name) is None:
            abort(404, f"no rule {scope.name}: nothing was paused")
        now, until = alerting.clock.now(), None
        if "duration" in keys():
            seconds = duration_of("duration", default_seconds=0.0, most_seconds=MAX_PAUSE_SECONDS)
            until = now + timedelta(seconds=seconds)
        with writing(alerting.store.engine) as connection:
            kill_switch.pause(connection, reason=reason, by=by, now=now, scope=scope, until=until)
        return status()

    @app.post("/api/v1/resume")
    def post_resume() -> Response:
        reason, by, scope = optional_text_of("reason"), person(default="unnamed"), _scope()
        with writing(alerting.store.engine) as connection:
            kill_switch.resume(
                connection, reason=reason, by=by, now=alerting.clock.now(), scope=scope
            )
        alerting.wake()
        return status()


def _scope() -> Scope:
    """Return what the body names: a ``rule``, a ``target``, or neither, which is everything."""
    unknown = sorted(keys() - KEYS)
    if unknown:  # a misspelt "rule" must not stop, and above all not release, everything
        abort(400, f"{unknown[0]}: unknown key; expected only {', '.join(sorted(KEYS))}")
    named = [Scope(kind, text_of(kind)) for kind in (Kind.RULE, Kind.TARGET) if kind in keys()]
    if len(named) > 1:
        abort(400, "expected a rule or a target, not both")
    return named[0] if named else EVERYTHING
