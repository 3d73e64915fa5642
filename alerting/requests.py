"""Reading what a client sent; a mistake is answered 400 with what was expected."""

from __future__ import annotations

from typing import Any

from flask import abort, request
from werkzeug.exceptions import BadRequest

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


def limit_of() -> int:
    """Return the ``limit`` parameter."""
    text = request.args.get("limit", str(DEFAULT_LIMIT))
    if not text.isdecimal() or not 1 <= int(text) <= MAX_LIMIT:
        abort(400, f"limit: expected a number from 1 to {MAX_LIMIT}, got {text!r}")
    return int(text)


def flag(name: str, *, default: bool = True) -> bool:
    """Return a parameter that is ``true`` or ``false``."""
    text = request.args.get(name, str(default).lower())
    if text not in ("true", "false"):
        abort(400, f"{name}: expected true or false, got {text!r}")
    return text == "true"
