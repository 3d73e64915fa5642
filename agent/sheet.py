"""What one collector has to say, written and compressed when it changes."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from agent.text import Block, TextFormat, text_of

COMPRESSION_LEVEL = 1
"""Metrics shrink tenfold at the fastest level already; higher ones only cost CPU."""


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
