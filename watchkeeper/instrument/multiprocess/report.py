"""What a worker sends: how far its counters moved, and where its gauges stand."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from prometheus_client.metrics_core import METRIC_TYPES

MAXIMUM_REPORT_BYTES = 64 << 20
"""A longer report is no report; a hundred thousand series take about 20 MB."""

ACKNOWLEDGEMENT = b"\x06"

_LENGTH = struct.Struct("!I")


class SeriesName(NamedTuple):
    """What tells one series from another.

    Attributes:
        family: the family's name, for counters without ``_total``.
        sample: the sample's own name.
        labels: sorted pairs.
    """

    family: str
    sample: str
    labels: tuple[tuple[str, str], ...]


class Described(NamedTuple):
    """A family's type and help text."""

    kind: str
    help: str


class ExemplarValue(NamedTuple):
    """An example of what a bucket counted."""

    labels: dict[str, str]
    value: float
    timestamp_seconds: float | None


@dataclass(slots=True)
class Report:
    """One report of one worker.

    Attributes:
        families: type and help of every family named below.
        added: how much each counter, bucket, count and sum grew since the last report.
        standing: the value of each gauge now.
        exemplars: the newest of a series, where it has one.
    """

    families: dict[str, Described] = field(default_factory=dict)
    added: dict[SeriesName, float] = field(default_factory=dict)
    standing: dict[SeriesName, float] = field(default_factory=dict)
    exemplars: dict[SeriesName, ExemplarValue] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the report as one frame: its length and JSON."""
        body = json.dumps(
            {
                "families": self.families,
                "added": list(self.added.items()),
                "standing": list(self.standing.items()),
                "exemplars": list(self.exemplars.items()),
            }
        ).encode()
        return _LENGTH.pack(len(body)) + body

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Return the report in ``body``.

        Raises:
            ValueError, KeyError, TypeError: it is none.
        """
        content = json.loads(body)
        report = cls(
            families={
                name: Described(*described) for name, described in content["families"].items()
            },
            added={_series(name): float(value) for name, value in content["added"]},
            standing={_series(name): float(value) for name, value in content["standing"]},
            exemplars={_series(name): ExemplarValue(*told) for name, told in content["exemplars"]},
        )
        for described in report.families.values():
            if described.kind not in METRIC_TYPES:
                raise ValueError(f"no kind of metric: {described.kind!r}")
        for name in (*report.added, *report.standing):
            if name.family not in report.families:
                raise ValueError(f"{name.family} is not described")
        return report


def receive(connection: socket.socket) -> Report | None:
    """Return the next report of a worker, or None when it has hung up.

    Raises:
        ValueError, KeyError, TypeError: what came is no report.
    """
    head = _read(connection, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > MAXIMUM_REPORT_BYTES:
        raise ValueError(f"a report of {length} bytes")
    body = _read(connection, length)
    return None if body is None else Report.decode(body)


def _read(connection: socket.socket, length: int) -> bytes | None:
    read = bytearray()
    while len(read) < length:
        part = connection.recv(min(length - len(read), 1 << 16))
        if not part:
            return None
        read += part
    return bytes(read)


def _series(name: Any) -> SeriesName:
    family, sample, labels = name
    return SeriesName(family, sample, tuple((key, value) for key, value in labels))
