"""Alertmanager's HTTP calls about silences."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask import Flask, Response, abort, jsonify

from alerting import silences
from alerting.matchers import all_match
from alerting.person import Person, Proof
from alerting.requests import json_body, label_filters
from alerting.silence_shape import gettable_silence, read_silence
from alerting.silences import UnknownSilence
from watchkeeper.errors import Refused
from watchkeeper.serving import asker
from watchkeeper.storage import reading, writing

if TYPE_CHECKING:
    from alerting.app import Alerting


def register(app: Flask, alerting: Alerting) -> None:
    """Add the routes under /api/v2/silences and /api/v2/silence."""
    _register_reading(app, alerting)
    _register_deeds(app, alerting)


def _register_reading(app: Flask, alerting: Alerting) -> None:
    @app.get("/api/v2/silences")
    def get_silences() -> Response:
        matchers = label_filters()
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

    @app.get("/api/v2/silence/<silence_id>")
    def get_silence(silence_id: str) -> Response:
        with reading(alerting.store.engine) as connection:
            found = silences.find(connection, silence_id)
        if found is None:
            abort(404, f"no silence {silence_id}")
        return jsonify(gettable_silence(found, now=alerting.clock.now()))


def _register_deeds(app: Flask, alerting: Alerting) -> None:
    @app.post("/api/v2/silences")
    def post_silence() -> Response:
        now = alerting.clock.now()
        try:
            wanted = read_silence(json_body(), now=now)
            wanted = replace(wanted, created_by=_creator(wanted.created_by))
            with writing(alerting.store.engine) as connection:
                silence_id = silences.put(connection, wanted, now=now)
        except UnknownSilence as error:
            abort(404, str(error))
        except (Refused, ValueError) as error:
            abort(400, str(error))
        alerting.router.review_all()
        return jsonify(silenceID=silence_id)

    @app.delete("/api/v2/silence/<silence_id>")
    def delete_silence(silence_id: str) -> Response:
        now = alerting.clock.now()
        with writing(alerting.store.engine) as connection:
            found = silences.find(connection, silence_id)
            if found is None:
                abort(404, f"no silence {silence_id}")
            if not silences.expire(connection, silence_id, by=_ender(), now=now):
                abort(400, f"silence {silence_id} is over already")
        alerting.router.review_all()
        return jsonify({})


def _creator(named: str) -> Person:
    """Return who silences: the owner of the token shown, else whoever the silence names."""
    identity = asker()
    if identity.is_person:
        return Person(identity.name, Proof.TOKEN)
    return Person(named, Proof.TYPED)


def _ender() -> str:
    """Return who ends a silence; Alertmanager's call names nobody, a token does."""
    identity = asker()
    return Person(identity.name, Proof.TOKEN) if identity.is_person else identity.name
