"""The HTTP calls about deliveries: what became of each message, and another life for dead ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, abort, jsonify

from alerting import audit, outbox
from alerting.requests import limit_of, moment_of, optional_text_of, person
from watchkeeper.storage import reading, writing

if TYPE_CHECKING:
    from alerting.app import Alerting


def register(app: Flask, alerting: Alerting) -> None:
    """Add the routes under /api/v1/deliveries."""

    @app.get("/api/v1/deliveries")
    def get_deliveries() -> Response:
        with reading(alerting.store.engine) as connection:
            return jsonify(deliveries=outbox.newest(connection, limit_of()))

    @app.post("/api/v1/deliveries/<delivery_id>/replay")
    def post_replay(delivery_id: str) -> Response:
        by, now = person(), alerting.clock.now()
        with writing(alerting.store.engine) as connection:
            if not outbox.replay(connection, delivery_id, now=now):
                abort(404, f"no dead letter {delivery_id}")
            audit.append(connection, actor=by, event="replayed", subject=delivery_id, now=now)
        alerting.wake()
        return jsonify(id=delivery_id, state=outbox.State.PENDING)

    @app.post("/api/v1/deliveries/replay")
    def post_replays() -> Response:
        by, receiver = person(), optional_text_of("receiver")
        since, until, now = moment_of("since"), moment_of("until"), alerting.clock.now()
        with writing(alerting.store.engine) as connection:
            ids = outbox.replay_many(
                connection, receiver=receiver, since=since, until=until, now=now
            )
            for delivery_id in ids:
                audit.append(connection, actor=by, event="replayed", subject=delivery_id, now=now)
        alerting.wake()
        return jsonify(replayed=ids)
