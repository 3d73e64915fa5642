"""Values that MySQL gives as text, as numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime

WORDS = {
    "yes": 1.0, "on": 1.0, "primary": 1.0,
    "no": 0.0, "off": 0.0, "disabled": 0.0,
    "connecting": 0.0, "disconnected": 0.0, "non-primary": 0.0,
}  # fmt: skip
"""Of switches, of a replica's threads, and of Galera's wsrep_cluster_status."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")

CERTIFICATE_TIME = "%b %d %H:%M:%S %Y GMT"
"""Of Ssl_server_not_before and _not_after."""


def as_number(value: object) -> float | None:
    """Return a value as mysqld_exporter takes it, or None for a text that is no number.

    The time of a certificate stands for its Unix seconds.
    """
    if value is None:
        return None
    text = str(value)
    if _NUMBER.fullmatch(text):
        return float(text)
    if (word := WORDS.get(text.lower())) is not None:
        return word
    return _as_time(text)


def _as_time(text: str) -> float | None:
    if not text.endswith(" GMT"):
        return None
    try:
        return datetime.strptime(text, CERTIFICATE_TIME).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
