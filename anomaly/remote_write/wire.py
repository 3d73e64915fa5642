"""Prometheus' remote write, version 1: a protobuf message in a Snappy block.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec/ and, for the block format,
https://github.com/google/snappy/blob/main/format_description.txt. Only what is needed of either is
here: four message types with five kinds of fields, and blocks of literals alone. That is valid
Snappy that saves no bytes; on the way to a Prometheus close by there is nothing to save.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from anomaly.panel import SeriesKey

HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}

LITERAL_BYTES = 1 << 16
"""Of one literal: its length, less one, is then two bytes."""

_TWO_BYTE_LITERAL = bytes([61 << 2])
_DOUBLE = struct.Struct("<d")


@dataclass(frozen=True, slots=True)
class WrittenSeries:
    """Some samples of one series, oldest first.

    Attributes:
        labels: with ``__name__``, sorted by name.
        samples: Unix time in seconds, and value.
    """

    labels: SeriesKey
    samples: Sequence[tuple[float, float]]


def request_of(series: Iterable[WrittenSeries]) -> bytes:
    """Return the body that writes these samples."""
    return snappy_block(b"".join(delimited(1, _series(one)) for one in series))


def snappy_block(content: bytes) -> bytes:
    """Return content as a Snappy block without any compression."""
    pieces = [varint(len(content))]
    for at in range(0, len(content), LITERAL_BYTES):
        literal = content[at : at + LITERAL_BYTES]
        pieces += [_TWO_BYTE_LITERAL, (len(literal) - 1).to_bytes(2, "little"), literal]
    return b"".join(pieces)


def _series(one: WrittenSeries) -> bytes:
    labels = (
        delimited(1, delimited(1, name.encode()) + delimited(2, value.encode()))
        for name, value in one.labels
    )
    samples = (delimited(2, _sample(at, value)) for at, value in one.samples)
    return b"".join([*labels, *samples])


def _sample(at_seconds: float, value: float) -> bytes:
    # Field 1 is a double (wire type 1), field 2 a whole number (wire type 0).
    return b"\x09" + _DOUBLE.pack(value) + b"\x10" + varint(round(at_seconds * 1_000))


def delimited(number: int, content: bytes) -> bytes:
    """Return a field of a message that says how long it is: text, or a message within."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(number: int) -> bytes:
    """Return a whole number >= 0, seven bits a byte, the lowest first."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
