"""Alertmanager's JSON: what a client may post, and what it gets back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from alerting.alert import Alert
from watchkeeper.clock import format_rfc3339, parse_rfc3339

LABEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""Times that every database and every sum with a delay can hold."""

MAX_LABELS = 64
MAX_TEXT_CHARACTERS = 16_384
"""Far above any honest label or annotation; what is larger would only fill the database."""


@dataclass(frozen=True, slots=True)
class Intake:
    """A posted batch, sorted: what is sound, and a sentence for each alert that is not."""

    alerts: list[Alert]
    problems: list[str]


class _Unsound(ValueError):  # noqa: N818  # it names what the alert is
    """One alert cannot be accepted; the message says what was expected."""


def read_alerts(body: Any, *, now: datetime, resolve_timeout_seconds: float) -> Intake:
    """Sort a posted JSON value into sound alerts and problems.

    As in Alertmanager the sound ones of a mixed batch are kept: one bad rule must not hide others.

    Args:
        body: the decoded JSON.
        now: stands in for a missing ``startsAt``.
        resolve_timeout_seconds: how long an alert without ``endsAt`` fires when not renewed.
    """
    if not isinstance(body, list):
        return Intake([], [f"expected a JSON list of alerts, got {_kind(body)}"])
    alerts, problems = [], []
    for index, item in enumerate(body):
        try:
            alerts.append(_alert(item, now, timedelta(seconds=resolve_timeout_seconds)))
        except _Unsound as problem:
            problems.append(f"alert {index}{_called(item)}: {problem}")
    return Intake(alerts, problems)


def _alert(item: Any, now: datetime, resolve_timeout: timedelta) -> Alert:
    if not isinstance(item, dict):
        raise _Unsound(f"expected an object, got {_kind(item)}")
    labels = _texts(item.get("labels"), "labels")
    if not labels:
        raise _Unsound("expected at least one label with a value")
    if len(labels) > MAX_LABELS:
        raise _Unsound(f"expected at most {MAX_LABELS} labels, got {len(labels)}")
    for name in labels:
        if not LABEL_NAME.fullmatch(name):
            raise _Unsound(f"label name {name!r}: expected letters, digits and underscores")
    starts_at = _moment(item.get("startsAt"), "startsAt")
    ends_at = _moment(item.get("endsAt"), "endsAt")
    if starts_at is None:
        starts_at = min(now, ends_at) if ends_at else now
    if ends_at is None:
        ends_at = now + resolve_timeout
    if ends_at < starts_at:
        raise _Unsound("endsAt lies before startsAt")
    generator_url = item.get("generatorURL", "")
    if not isinstance(generator_url, str):
        raise _Unsound(f"generatorURL: expected text, got {_kind(generator_url)}")
    _require_storable(generator_url, "generatorURL")
    annotations = _texts(item.get("annotations"), "annotations")
    return Alert(labels, annotations, starts_at, ends_at, generator_url)


def _texts(value: Any, key: str) -> dict[str, str]:
    """Return a mapping of text to text without empty values, which mean "not set"."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _Unsound(f"{key}: expected an object of texts, got {_kind(value)}")
    for name, text in value.items():
        _require_storable(name, key)
        if not isinstance(text, str):
            raise _Unsound(f"{key}.{name}: expected text, got {_kind(text)}")
        _require_storable(text, f"{key}.{name}")
        if len(text) > MAX_TEXT_CHARACTERS:
            raise _Unsound(f"{key}.{name}: longer than {MAX_TEXT_CHARACTERS} characters")
    return {name: text for name, text in value.items() if text}


def _require_storable(text: str, key: str) -> None:
    """Refuse what JSON can say and no database or receiver can take: half characters and NUL."""
    if "\x00" in text:
        raise _Unsound(f"{key}: holds a NUL character")
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Unsound(f"{key}: holds half of a character (a lone surrogate)") from None


def _moment(value: Any, key: str) -> datetime | None:
    """Return a time, or None for what Go calls the zero time."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _Unsound(f"{key}: expected an RFC 3339 time, got {_kind(value)}")
    try:
        moment = parse_rfc3339(value)
    except (ValueError, OverflowError):
        raise _Unsound(f"{key}: expected an RFC 3339 time, got {value[:40]!r}") from None
    if moment.year == 1:
        return None
    if not EARLIEST <= moment <= LATEST:
        raise _Unsound(f"{key}: expected a time between 1970 and 9000, got {value[:40]!r}")
    return moment


def _called(item: Any) -> str:
    labels = item.get("labels") if isinstance(item, dict) else None
    name = labels.get("alertname") if isinstance(labels, dict) else None
    return f" ({name[:100]})" if isinstance(name, str) else ""


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", type(None): "null", bool: "a boolean"}
    return names.get(type(value), "a number")


def gettable(
    alert: Alert,
    *,
    updated_at: datetime,
    receivers: Sequence[str],
    muted_by: Mapping[str, list[str]],
) -> dict[str, Any]:
    """Return an alert as ``GET /api/v2/alerts`` shows it."""
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": format_rfc3339(alert.starts_at),
        "endsAt": format_rfc3339(alert.ends_at),
        "updatedAt": format_rfc3339(updated_at),
        "generatorURL": alert.generator_url,
        "fingerprint": alert.fingerprint,
        "receivers": [{"name": name} for name in receivers],
        "status": {
            "state": "suppressed" if muted_by else "active",
            "silencedBy": muted_by.get("silenced", []),
            "inhibitedBy": muted_by.get("inhibited", []),
            "mutedBy": muted_by.get("maintenance", []),
        },
    }
