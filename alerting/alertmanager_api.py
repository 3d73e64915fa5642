"""Alertmanager's HTTP API, version 2, so that its clients and ``amtool`` work against us."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import Flask, Response, abort, jsonify, request
from sqlalchemy.engine import Connection

from alerting import intake, silence_api, tables
from alerting.alert import Alert
from alerting.matchers import all_match
from alerting.requests import flag, json_body, label_filters
from alerting.routing import receivers_for
from alerting.stages.group import group_key
from watchkeeper import __version__
from watchkeeper.clock import format_rfc3339
from watchkeeper.logs import get_logger
from watchkeeper.storage import reading

if TYPE_CHECKING:
    from alerting.app import Alerting

log = get_logger(__name__)


def register(app: Flask, alerting: Alerting) -> None:
    """Add the routes under /api/v2."""
    _register_alerts(app, alerting)
    silence_api.register(app, alerting)
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
    matchers = label_filters()
    receiver = _expression("receiver")
    wanted_mutes = {
        kind for kind in ("silenced", "inhibited") if flag(kind)
    } | {"maintenance"}  # fmt: skip
    is_active_wanted = flag("active")
    flag("unprocessed")  # Alertmanager knows a moment between taking in and routing; we do not
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


def _expression(name: str) -> re.Pattern[str] | None:
    text = request.args.get(name)
    try:
        return re.compile(text) if text else None
    except re.error as error:
        abort(400, f"{name}: {text!r} is not a regular expression: {error}")
