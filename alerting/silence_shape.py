"""Silences as Alertmanager's API writes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from alerting.matchers import Matcher
from alerting.silences import Silence
from watchkeeper.clock import format_rfc3339, parse_rfc3339

MAX_MATCHERS = 32
MAX_COMMENT_CHARACTERS = 4096


def gettable_silence(silence: Silence, *, now: datetime) -> dict[str, Any]:
    """Return a silence as ``GET /api/v2/silences`` shows it."""
    return {
        "id": silence.id,
        "status": {"state": silence.state(now)},
        "updatedAt": format_rfc3339(silence.updated_at),
        "startsAt": format_rfc3339(silence.starts_at),
        "endsAt": format_rfc3339(silence.ends_at),
        "createdBy": silence.created_by,
        "comment": silence.comment,
        "matchers": [_gettable_matcher(matcher) for matcher in silence.matchers],
    }


def _gettable_matcher(matcher: Matcher) -> dict[str, Any]:
    return {
        "name": matcher.name,
        "value": matcher.value,
        "isRegex": "~" in matcher.operator,
        "isEqual": not matcher.operator.startswith("!"),
    }


def read_silence(body: Any, *, now: datetime) -> Silence:
    """Return a posted silence; raise ValueError naming the key and what was expected."""
    if not isinstance(body, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004  # one error for every mistake
    matchers = body.get("matchers")
    if not isinstance(matchers, list) or not 1 <= len(matchers) <= MAX_MATCHERS:
        raise ValueError(f"matchers: expected a list of 1 to {MAX_MATCHERS}")
    parsed = tuple(_matcher(item, index) for index, item in enumerate(matchers))
    if all(matcher.matches({}) for matcher in parsed):
        raise ValueError("matchers: at least one must not match the empty text")
    return Silence(
        id=_text(body, "id", required=False),
        matchers=parsed,
        starts_at=_moment(body, "startsAt"),
        ends_at=_moment(body, "endsAt"),
        created_by=_text(body, "createdBy"),
        comment=_text(body, "comment"),
        updated_at=now,
    )


def _matcher(item: Any, index: int) -> Matcher:
    if not isinstance(item, dict):
        raise ValueError(f"matchers[{index}]: expected an object")  # noqa: TRY004  # one error for every mistake
    name, value = item.get("name"), item.get("value")
    if not isinstance(name, str) or not isinstance(value, str):
        raise ValueError(f"matchers[{index}]: expected a name and a value as texts")  # noqa: TRY004  # one error for every mistake
    operator = "=" if item.get("isEqual", True) else "!"
    if item.get("isRegex", False):
        operator += "~"
    operator = {"!": "!="}.get(operator, operator)
    try:
        return Matcher.of(name, operator, value)
    except ValueError as error:
        raise ValueError(f"matchers[{index}]: {error}") from None


def _text(body: dict[str, Any], key: str, *, required: bool = True) -> str:
    value = body.get(key) or ""
    if not isinstance(value, str) or (required and not value.strip()):
        raise ValueError(f"{key}: expected a text that says something")
    if len(value) > MAX_COMMENT_CHARACTERS:
        raise ValueError(f"{key}: longer than {MAX_COMMENT_CHARACTERS} characters")
    return value


def _moment(body: dict[str, Any], key: str) -> datetime:
    value = body.get(key)
    if not isinstance(value, str):
        raise ValueError(f"{key}: expected an RFC 3339 time")  # noqa: TRY004  # one error for every mistake
    try:
        return parse_rfc3339(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{key}: expected an RFC 3339 time, got {value[:40]!r}") from None
