"""Reading what a client sent; a mistake is answered 400 with what was expected."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import abort, request
from werkzeug.exceptions import BadRequest

from alerting.matchers import Matcher
from alerting.person import Person, Proof
from watchkeeper.clock import parse_rfc3339
from watchkeeper.configuration import parse_duration_seconds
from watchkeeper.roles import STACK
from watchkeeper.serving import asker

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000


def json_body() -> Any:
    """Return the body as JSON, whatever its declared type."""
    try:
        return request.get_json(force=True)
    except (BadRequest, RecursionError):  # the second: nested without end
        abort(400, "expected a JSON body")


def text_of(key: str, *, default: str | None = None) -> str:
    """Return a text of the JSON body; an empty body counts as an empty object."""
    body = json_body() if request.get_data() else {}
    if not isinstance(body, dict):
        abort(400, "expected a JSON object")
    value = body.get(key, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        abort(400, f"{key}: expected a text that says something")
    return value.strip()


def keys() -> set[str]:
    """Return what the JSON body names; an empty body names nothing."""
    body = json_body() if request.get_data() else {}
    return set(body) if isinstance(body, dict) else set()


def person(*, default: str | None = None) -> Person:
    """Return who does this: the owner of the token shown, else whoever ``by`` in the body names.

    ``by_is: session`` beside it counts only from who shows the token that our services share.
    """
    identity = asker()
    if identity.is_person:
        return Person(identity.name, Proof.TOKEN)
    said = text_of("by_is", default=Proof.TYPED)
    if said not in list(Proof):
        abort(400, f"by_is: expected one of {', '.join(Proof)}, got {said[:40]!r}")
    proof = Proof.SESSION if identity is STACK and said == Proof.SESSION else Proof.TYPED
    return Person(text_of("by", default=default), proof)


def optional_text_of(key: str) -> str:
    """Return a text of the JSON body, empty when it is not there."""
    return text_of(key, default="")


def duration_of(key: str, *, default_seconds: float, most_seconds: float) -> float:
    """Return a duration of the JSON body in seconds, written ``2h`` or as a number."""
    body = json_body() if request.get_data() else {}
    value = body.get(key, default_seconds) if isinstance(body, dict) else None
    try:
        seconds = parse_duration_seconds(value)
    except ValueError as error:
        abort(400, f"{key}: {error}")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        abort(400, f"{key}: expected a duration such as 2h")
    if not 0 < seconds <= most_seconds:
        abort(400, f"{key}: expected a duration of more than 0 and at most {most_seconds:.0f} s")
    return float(seconds)


def moment_of(key: str) -> datetime | None:
    """Return a time of the JSON body, or None when it is not there."""
    body = json_body() if request.get_data() else {}
    if isinstance(body, dict) and key not in body:
        return None
    text = optional_text_of(key)
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError):
        abort(400, f"{key}: expected an RFC 3339 time, got {text[:40]!r}")


def limit_of() -> int:
    """Return the ``limit`` parameter."""
    text = request.args.get("limit", str(DEFAULT_LIMIT))
    if not text.isdecimal() or not 1 <= int(text) <= MAX_LIMIT:
        abort(400, f"limit: expected a number from 1 to {MAX_LIMIT}, got {text!r}")
    return int(text)


def label_filters() -> list[Matcher]:
    """Return the matchers of the ``filter`` parameters."""
    try:
        return [Matcher.parse(text) for text in request.args.getlist("filter")]
    except ValueError as error:
        abort(400, f"filter: {error}")


def flag(name: str, *, default: bool = True) -> bool:
    """Return a parameter that is ``true`` or ``false``."""
    text = request.args.get(name, str(default).lower())
    if text not in ("true", "false"):
        abort(400, f"{name}: expected true or false, got {text!r}")
    return text == "true"
