"""What one collector has to say, written and compressed when it changes."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from agent.family import Family
from agent.text import Block, TextFormat, text_of

COMPRESSION_LEVEL = 1
"""Metrics shrink tenfold at the fastest level already; higher ones only cost CPU."""


WINDOW_BITS, MEMORY_LEVEL = 13, 6
"""A window of 8 KiB: lines are like their neighbours, and zlib's own 32 KiB take longer to set up
than a collector's lines to compress."""

SMALL_BYTES = 4096
"""Setting up for a sheet of less costs more than compressing it; those are done together."""


def deflate(text: bytes) -> bytes:
    """Return ``text`` as deflate blocks that can stand beside others, none of them the last."""
    compressor = zlib.compressobj(
        COMPRESSION_LEVEL, zlib.DEFLATED, -WINDOW_BITS, memLevel=MEMORY_LEVEL
    )
    # A full flush ends on a whole byte and refers to nothing before it.
    return compressor.compress(text) + compressor.flush(zlib.Z_FULL_FLUSH)


class Sheet:
    """What one collector has to say, in every way it was asked for so far.

    Args:
        blocks: the lines of each metric.
        families: what they were written from, where somebody wants that rather than text.
    """

    def __init__(self, blocks: Sequence[Block], families: Sequence[Family] = ()) -> None:
        self.blocks = blocks
        self.families = families
        self.names = frozenset(block.metric.name for block in blocks)
        self._texts: dict[TextFormat, bytes] = {}
        self._deflated: dict[TextFormat, bytes] = {}

    def text(self, text_format: TextFormat) -> bytes:
        """Return its lines with their headers."""
        text = self._texts.get(text_format)
        if text is None:
            text = self._texts[text_format] = text_of(self.blocks, text_format)
        return text

    def is_small(self, text_format: TextFormat) -> bool:
        """Return whether it is better compressed together with others."""
        return len(self.text(text_format)) < SMALL_BYTES

    def deflated(self, text_format: TextFormat) -> bytes:
        """Return its text as deflate blocks that can stand beside those of other sheets."""
        deflated = self._deflated.get(text_format)
        if deflated is None:
            deflated = self._deflated[text_format] = deflate(self.text(text_format))
        return deflated

    def prepare(self, demand: Demand) -> None:
        """Write now what the next scrape will ask for."""
        for text_format, is_compressed in demand.ways:
            if is_compressed and not self.is_small(text_format):
                self.deflated(text_format)
            else:
                self.text(text_format)


class Demand:
    """The ways in which pages are asked for. They are few and do not go away.

    Attributes:
        is_pushed: families are asked for too, as they are.
    """

    def __init__(self) -> None:
        self.is_pushed = False
        self.ways: frozenset[tuple[TextFormat, bool]] = frozenset()

    def note(self, text_format: TextFormat, *, is_compressed: bool) -> None:
        """Have sheets written this way from now on."""
        way = (text_format, is_compressed)
        if way not in self.ways:
            self.ways |= {way}


NOTHING = Sheet(())
