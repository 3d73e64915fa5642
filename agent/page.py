"""Whole pages, put together from sheets.

What the collectors left is joined once and kept until one of them brings something new. A scrape
adds a short tail, the ages of things, and copies bytes: it neither formats nor compresses.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from agent.sheet import NOTHING, Sheet, deflate
from agent.text import OPENMETRICS_END, TextFormat

GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
"""Deflate, no time, fastest, unknown system (RFC 1952)."""

LONGEST_STORED_BYTES = 0xFFFF
"""Of one block that is not compressed (RFC 1951)."""


class Joined(NamedTuple):
    """Sheets behind one another in one format.

    Attributes:
        body: their lines; as deflate blocks of which none is the last when compressed.
        checksum: CRC-32 of the lines; 0 unless compressed.
        size_bytes: of the lines.
    """

    body: bytes
    checksum: int
    size_bytes: int


def join(sheets: Iterable[Sheet], text_format: TextFormat, *, is_compressed: bool) -> Joined:
    """Return sheets as one piece of a page; those that tell of one metric are brought together."""
    small: list[Sheet] = []
    large: list[Sheet] = []
    for sheet in disjoint(sheets):
        (small if sheet.is_small(text_format) else large).append(sheet)
    beginning = b"".join([sheet.text(text_format) for sheet in small])
    text = b"".join([beginning, *(sheet.text(text_format) for sheet in large)])
    if not is_compressed:
        return Joined(text, 0, len(text))
    deflated = [deflate(beginning), *(sheet.deflated(text_format) for sheet in large)]
    return Joined(b"".join(deflated), zlib.crc32(text), len(text))


def page(joined: Joined, tail: Sheet, text_format: TextFormat) -> bytes:
    """Return a whole exposition: what was joined, and a tail that tells of other metrics."""
    return joined.body + _end(tail, text_format)


def gzip_page(joined: Joined, tail: Sheet, text_format: TextFormat) -> bytes:
    """Return a whole exposition as one gzip member; the short tail is not worth compressing."""
    end = _end(tail, text_format)
    checksum = zlib.crc32(end, joined.checksum)
    size = (joined.size_bytes + len(end)) & 0xFFFFFFFF
    return b"".join([GZIP_HEAD, joined.body, _stored(end), struct.pack("<II", checksum, size)])


class Pages:
    """Pages of the sheets there are, joined again only when one of them is another."""

    def __init__(self) -> None:
        self._kept: dict[tuple[TextFormat, bool], tuple[Sequence[Sheet], Joined]] = {}

    def page(
        self,
        sheets: tuple[Sheet, ...],
        text_format: TextFormat,
        *,
        tail: Sheet = NOTHING,
        is_compressed: bool,
    ) -> bytes:
        """Return the page of ``sheets`` and a tail that tells of other metrics than they do."""
        way = (text_format, is_compressed)
        before, joined = self._kept.get(way, (None, None))
        if joined is None or before != sheets:
            joined = join(sheets, text_format, is_compressed=is_compressed)
            self._kept[way] = (sheets, joined)
        return (gzip_page if is_compressed else page)(joined, tail, text_format)


def disjoint(sheets: Iterable[Sheet]) -> list[Sheet]:
    """Return sheets of which no two tell of one metric: those that do are brought together.

    All lines of a metric must stand together, and two servers are told of in the same metrics.
    """
    kept: list[Sheet] = []
    seen: set[str] = set()
    for sheet in sheets:
        if seen.isdisjoint(sheet.names):
            kept.append(sheet)
        else:
            rivals = [other for other in kept if not other.names.isdisjoint(sheet.names)]
            blocks = [block for one in (*rivals, sheet) for block in one.blocks]
            kept = [other for other in kept if other not in rivals] + [Sheet(blocks)]
        seen |= sheet.names
    return kept


def _end(tail: Sheet, text_format: TextFormat) -> bytes:
    end = OPENMETRICS_END if text_format is TextFormat.OPENMETRICS else b""
    return tail.text(text_format) + end


def _stored(text: bytes) -> bytes:
    """Return ``text`` as stored deflate blocks, the last of them marked as the last of all."""
    pieces = []
    for start in range(0, max(1, len(text)), LONGEST_STORED_BYTES):
        piece = text[start : start + LONGEST_STORED_BYTES]
        is_last = start + LONGEST_STORED_BYTES >= len(text)
        pieces += [struct.pack("<BHH", is_last, len(piece), len(piece) ^ 0xFFFF), piece]
    return b"".join(pieces)
