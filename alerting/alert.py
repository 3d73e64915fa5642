"""An alert as Alertmanager defines it: a label set that fires from one time to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

SEVERITIES = ("none", "info", "warning", "critical")
"""Mildest first; anything else counts as ``warning``, for a strange word must not hide an alert."""

# FNV-1a, 64 bits (Fowler, Noll, Vo); Prometheus' label-set fingerprint is built on it.
_FNV_OFFSET = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3
_SEPARATOR = b"\xff"

DIGESTS_KEPT = 10_000
REMEMBERED_CHARACTERS = 500
"""Label sets whose fingerprint is remembered, and how long they may be; some 4 MB together."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; two with the same labels are the same alert at different times."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    generator_url: str = ""
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", fingerprint(self.labels))

    @property
    def name(self) -> str:
        """The ``alertname`` label, or a word for an alert that has none."""
        return self.labels.get("alertname", "unnamed alert")

    @property
    def severity(self) -> str:
        """One of ``SEVERITIES``."""
        found = self.labels.get("severity", "warning")
        return found if found in SEVERITIES else "warning"

    @property
    def severity_rank(self) -> int:
        """How grave it is; larger is worse."""
        return SEVERITIES.index(self.severity)

    @property
    def summary(self) -> str:
        """One line a person understands: the summary annotation, else the name."""
        return self.annotations.get("summary") or self.name

    def is_firing(self, now: datetime) -> bool:
        """Return whether the alert has not ended at ``now``."""
        return self.ends_at > now


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return Prometheus' fingerprint of a label set: 16 hexadecimal digits."""
    text = "".join([f"{name}\x00{labels[name]}\x00" for name in sorted(labels)])
    # Clients repeat themselves every minute, and a byte at a time Python is slow.
    return _remembered_digest(text) if len(text) <= REMEMBERED_CHARACTERS else _digest(text)


def _digest(text: str) -> str:
    digest = _FNV_OFFSET
    for byte in text.encode().replace(b"\x00", _SEPARATOR):
        digest = ((digest ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


_remembered_digest = lru_cache(DIGESTS_KEPT)(_digest)


def worst(severities: list[str]) -> str:
    """Return the gravest of ``severities``; ``none`` for an empty list."""
    return max(severities, key=SEVERITIES.index, default="none")
