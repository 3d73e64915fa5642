"""The server's own settings: all that are numbers or switches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.family import Family, single
from agent.sql.question import Question, Row
from watchkeeper.catalogue import postgres

UNITS = {
    "ms": ("seconds", 0.001),
    "s": ("seconds", 1),
    "min": ("seconds", 60),
    "h": ("seconds", 3600),
    "d": ("seconds", 86400),
    "B": ("bytes", 1),
    "kB": ("bytes", 1 << 10),
    "8kB": ("bytes", 8 << 10),
    "16kB": ("bytes", 16 << 10),
    "32kB": ("bytes", 32 << 10),
    "64kB": ("bytes", 64 << 10),
    "MB": ("bytes", 1 << 20),
    "16MB": ("bytes", 16 << 20),
    "GB": ("bytes", 1 << 30),
}
"""Base unit and factor by unit of pg_settings; the page sizes are build options."""


def _families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    for row in rows:
        unit, factor = UNITS.get(row["unit"], ("", 1))
        metric = postgres.setting(row["name"], unit)
        yield single(metric, _value(row["setting"], row["vartype"], factor), (server,))


def _value(setting: str, kind: str, factor: float) -> float:
    if kind == "bool":
        return int(setting == "on")
    value = float(setting)
    # A negative number is a word (-1: off, or take another setting's), not an amount.
    return value if value < 0 else value * factor


SETTINGS = Question(
    "settings",
    # What our own session was told is not the server's setting.
    "SELECT name, CASE WHEN source = 'session' THEN reset_val ELSE setting END AS setting, unit, "
    "vartype FROM pg_settings WHERE vartype IN ('bool', 'integer', 'real')",
    _families,
)
