"""Alertmanager's HTTP API, version 2, so that its clients and ``amtool`` work against us."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import Flask, Response, abort, jsonify, request
from sqlalchemy.engine import Connection

from alerting import intake, silences, tables
from alerting.alert import Alert
from alerting.matchers import Matcher, all_match
from alerting.requests import flag, json_body
from alerting.silence_shape import gettable_silence, read_silence
from alerting.silences import UnknownSilence
from alerting.stages.group import group_key
from alerting.stages.route import receivers_for
from watchkeeper import __version__
from watchkeeper.clock import format_rfc3339
from watchkeeper.errors import Refused
from watchkeeper.logs import get_logger
from watchkeeper.storage import reading, writing

if TYPE_CHECKING:
    from alerting.app import Alerting

log = get_logger(__name__)


def register(app: Flask, alerting: Alerting) -> None:
    """Add the routes under /api/v2."""
    _register_alerts(app, alerting)
    _register_silences(app, alerting)
    _register_status(app, alerting)


def _register_alerts(app: Flask, alerting: Alerting) -> None:
    @app.post("/api/v2/alerts")
    def post_alerts() -> tuple[Response, int]:
        now = alerting.clock.now()
        found = intake.read_alerts(
            json_body(),
            now=now,
            resolve_timeout_seconds=alerting.configuration.alerting.resolve_timeout_seconds,
        )
        alerting.router.accept(found.alerts)
        firing = sum(alert.is_firing(now) for alert in found.alerts)
        alerting.telemetry.received(
            firing=firing, resolved=len(found.alerts) - firing, invalid=len(found.problems)
        )
        if found.problems:
            log.warning("alerts refused", extra={"problems": found.problems[:10]})
            message = "; ".join(found.problems[:20])
            return jsonify(error={"reason": "request", "message": message}), 400
        return jsonify({}), 200

    @app.get("/api/v2/alerts")
    def get_alerts() -> Response:
        with reading(alerting.store.engine) as connection:
            return jsonify(_wanted_alerts(connection, alerting))

    @app.get("/api/v2/alerts/groups")
    def get_groups() -> Response:
        with reading(alerting.store.engine) as connection:
            found = _wanted_alerts(connection, alerting)
        return jsonify(_grouped(found, alerting.configuration.alerting.group_by))


def _wanted_alerts(connection: Connection, alerting: Alerting) -> list[dict[str, Any]]:
    """Return the firing alerts that the parameters of the request ask for."""
    matchers = _filters()
    receiver = _expression("receiver")
    wanted_mutes = {
        kind for kind in ("silenced", "inhibited") if flag(kind)
    } | {"maintenance"}  # fmt: skip
    is_active_wanted = flag("active")
    table = tables.alerts
    query = sa.select(table).where(table.c.status == "firing").order_by(table.c.fingerprint)
    route = alerting.configuration.alerting.route
    found = []
    for row in connection.execute(query):
        mutes = row.muted_by or {}
        receivers = receivers_for(row.labels, route)
        is_wanted = set(mutes) <= wanted_mutes if mutes else is_active_wanted
        if not is_wanted or not all_match(matchers, row.labels):
            continue
        if receiver is not None and not any(map(receiver.fullmatch, receivers)):
            continue
        found.append(
            intake.gettable(
                Alert(row.labels, row.annotations, row.starts_at, row.ends_at, row.generator_url),
                updated_at=row.updated_at,
                receivers=receivers,
                muted_by=mutes,
            )
        )
    return found


def _grouped(alerts: Sequence[dict[str, Any]], group_by: Sequence[str]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for alert in alerts:
        for receiver in alert["receivers"]:
            key = (receiver["name"], group_key(alert["labels"], group_by))
            labels = {name: alert["labels"][name] for name in group_by if name in alert["labels"]}
            group = {"labels": labels, "receiver": receiver, "alerts": []}
            groups.setdefault(key, group)["alerts"].append(alert)
    return [groups[key] for key in sorted(groups)]


def _register_silences(app: Flask, alerting: Alerting) -> None:
    @app.get("/api/v2/silences")
    def get_silences() -> Response:
        matchers = _filters()
        with reading(alerting.store.engine) as connection:
            found = silences.every(connection)
        now = alerting.clock.now()
        return jsonify(
            [
                gettable_silence(silence, now=now)
                for silence in found
                if all_match(matchers, {m.name: m.value for m in silence.matchers})
            ]
        )

    @app.post("/api/v2/silences")
    def post_silence() -> Response:
        now = alerting.clock.now()
        try:
            wanted = read_silence(json_body(), now=now)
            with writing(alerting.store.engine) as connection:
                silence_id = silences.put(connection, wanted, now=now)
        except UnknownSilence as error:
            abort(404, str(error))
        except (Refused, ValueError) as error:
            abort(400, str(error))
        alerting.router.review_all()
        return jsonify(silenceID=silence_id)

    @app.get("/api/v2/silence/<silence_id>")
    def get_silence(silence_id: str) -> Response:
        with reading(alerting.store.engine) as connection:
            found = silences.find(connection, silence_id)
        if found is None:
            abort(404, f"no silence {silence_id}")
        return jsonify(gettable_silence(found, now=alerting.clock.now()))

    @app.delete("/api/v2/silence/<silence_id>")
    def delete_silence(silence_id: str) -> Response:
        now = alerting.clock.now()
        with writing(alerting.store.engine) as connection:
            found = silences.find(connection, silence_id)
            if found is None:
                abort(404, f"no silence {silence_id}")
            if not silences.expire(connection, silence_id, by="api", now=now):
                abort(400, f"silence {silence_id} is over already")
        alerting.router.review_all()
        return jsonify({})


def _register_status(app: Flask, alerting: Alerting) -> None:
    started_at = alerting.clock.now()

    @app.get("/api/v2/status")
    def get_am_status() -> Response:
        version = {
            "version": __version__,
            "revision": "",
            "branch": "",
            "buildUser": "",
            "buildDate": "",
            "goVersion": f"python{platform.python_version()}",
        }
        return jsonify(
            cluster={"status": "disabled", "name": "", "peers": []},
            versionInfo=version,
            config={"original": alerting.configuration.alerting_text()},
            uptime=format_rfc3339(started_at),
        )

    @app.get("/api/v2/receivers")
    def get_receivers() -> Response:
        receivers = alerting.configuration.alerting.receivers
        return jsonify([{"name": receiver.name} for receiver in receivers])


def _filters() -> list[Matcher]:
    try:
        return [Matcher.parse(text) for text in request.args.getlist("filter")]
    except ValueError as error:
        abort(400, f"filter: {error}")


def _expression(name: str) -> re.Pattern[str] | None:
    text = request.args.get(name)
    try:
        return re.compile(text) if text else None
    except re.error as error:
        abort(400, f"{name}: {text!r} is not a regular expression: {error}")
