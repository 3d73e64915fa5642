"""Reading the query of a request; a mistake is answered 400 with what was expected."""

from __future__ import annotations

from math import isfinite

from flask import abort, request

MOST = 1_000_000


def number_of(name: str, *, default: float) -> float:
    """Return a parameter that is a number from 0 to a million."""
    text = request.args.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not (isfinite(value) and 0 <= value <= MOST):
        abort(400, f"{name}: expected a number from 0 to {MOST}, got {text[:40]!r}")
    return value


def count_of(name: str, *, default: int) -> int:
    """Return a parameter that is a whole number from 0 to a million."""
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 7 and int(text) <= MOST):
        abort(400, f"{name}: expected a whole number from 0 to {MOST}, got {text[:40]!r}")
    return int(text)


def flag_of(name: str) -> bool:
    """Return a parameter that is ``true`` or ``false``; false when it is not there."""
    text = request.args.get(name, "false")
    if text not in ("true", "false"):
        abort(400, f"{name}: expected true or false, got {text[:40]!r}")
    return text == "true"
