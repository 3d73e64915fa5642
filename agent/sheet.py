"""Pages put together from sheets, one a collector, written and compressed when they change.

A scrape then copies bytes: it neither formats nor compresses what has not changed since.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence

from agent.text import OPENMETRICS_END, Block, TextFormat, text_of

COMPRESSION_LEVEL = 1
"""Metrics shrink tenfold at the fastest level already; higher ones only cost CPU."""

GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
"""Deflate, no time, fastest, unknown system (RFC 1952)."""
DEFLATE_END = b"\x03\x00"
"""An empty last block (RFC 1951)."""


class Sheet:
    """What one collector has to say, in every way it was asked for so far."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        self.names = frozenset(block.metric.name for block in blocks)
        self._texts: dict[TextFormat, bytes] = {}
        self._deflated: dict[TextFormat, bytes] = {}

    def text(self, text_format: TextFormat) -> bytes:
        """Return its lines with their headers."""
        text = self._texts.get(text_format)
        if text is None:
            text = self._texts[text_format] = text_of(self.blocks, text_format)
        return text

    def deflated(self, text_format: TextFormat) -> bytes:
        """Return its text as deflate blocks that can stand beside those of other sheets."""
        deflated = self._deflated.get(text_format)
        if deflated is None:
            compressor = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
            body = compressor.compress(self.text(text_format))
            # A full flush ends on a whole byte and refers to nothing before it.
            deflated = self._deflated[text_format] = body + compressor.flush(zlib.Z_FULL_FLUSH)
        return deflated

    def prepare(self, demand: Demand) -> None:
        """Write now what the next scrape will ask for."""
        for text_format, is_compressed in demand.ways:
            if is_compressed:
                self.deflated(text_format)
            else:
                self.text(text_format)


class Demand:
    """The ways in which pages are asked for. They are few and do not go away."""

    def __init__(self) -> None:
        self.ways: frozenset[tuple[TextFormat, bool]] = frozenset()

    def note(self, text_format: TextFormat, *, is_compressed: bool) -> None:
        """Have sheets written this way from now on."""
        way = (text_format, is_compressed)
        if way not in self.ways:
            self.ways |= {way}


NOTHING = Sheet(())


def page(sheets: Iterable[Sheet], text_format: TextFormat) -> bytes:
    """Return a whole exposition."""
    return b"".join([*(sheet.text(text_format) for sheet in disjoint(sheets)), _end(text_format)])


def gzip_page(sheets: Iterable[Sheet], text_format: TextFormat) -> bytes:
    """Return a whole exposition as one gzip member."""
    pieces = [GZIP_HEAD]
    checksum = size = 0
    end = _end(text_format)
    for sheet in disjoint(sheets):
        pieces.append(sheet.deflated(text_format))
        text = sheet.text(text_format)
        checksum = zlib.crc32(text, checksum)
        size += len(text)
    if end:
        pieces.append(_stored(end))
        checksum = zlib.crc32(end, checksum)
        size += len(end)
    pieces += [DEFLATE_END, struct.pack("<II", checksum, size & 0xFFFFFFFF)]
    return b"".join(pieces)


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


def _end(text_format: TextFormat) -> bytes:
    return OPENMETRICS_END if text_format is TextFormat.OPENMETRICS else b""


def _stored(text: bytes) -> bytes:
    """Return ``text`` (under 64 KiB) as a stored deflate block that is not the last."""
    return b"\x00" + struct.pack("<HH", len(text), len(text) ^ 0xFFFF) + text
