"""Rows as PostgreSQL sends them, and what the text of a value stands for."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

Decode = Callable[[str], Any]
Column = tuple[str, Decode]


def _integers(text: str) -> list[int]:
    return [int(number) for number in text.strip("{}").split(",") if number]


def _time(text: str) -> datetime | None:
    # There are times that never come, and some before our calendar.
    return None if text.endswith(("infinity", "BC")) else datetime.fromisoformat(text)


DECODERS: Mapping[int, Decode] = {
    16: lambda text: text == "t",
    20: int, 21: int, 23: int, 26: int, 28: int,  # bigint, smallint, integer, oid, xid
    700: float, 701: float, 1700: float,  # real, double precision, numeric
    1184: _time,  # timestamptz, as DateStyle ISO writes it
    1007: _integers,  # integer[]
}  # fmt: skip
"""By type (pg_type.oid); whatever else there is stays text."""


def columns_of(body: bytes) -> list[Column]:
    """Return name and decoder of each column that a RowDescription announces."""
    columns: list[Column] = []
    at = 2
    for _ in range(struct.unpack_from("!H", body)[0]):
        end = body.index(b"\0", at)
        (kind,) = struct.unpack_from("!I", body, end + 7)
        columns.append((body[at:end].decode(), DECODERS.get(kind, str)))
        at = end + 19
    return columns


def row_of(columns: Sequence[Column], body: bytes) -> dict[str, Any]:
    """Return the values of a DataRow by column."""
    row: dict[str, Any] = {}
    at = 2
    for name, decode in columns:
        (length,) = struct.unpack_from("!i", body, at)
        at += 4
        if length < 0:
            row[name] = None
        else:
            row[name] = decode(body[at : at + length].decode(errors="replace"))
            at += length
    return row
