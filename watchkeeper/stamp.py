"""Telling that a file is another than it was, without reading it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Stamp(NamedTuple):
    """What a file does not keep when it is written, replaced or let others read it.

    All 0 for a file that is not there. The first is ``ctime``, which no program can set back.
    """

    changed_nanoseconds: int = 0
    size_bytes: int = 0
    inode: int = 0


def stamp_of(path: Path) -> Stamp:
    """Return the stamp of the file that is at ``path`` now. Take it before reading the file."""
    try:
        found = path.stat()
    except OSError:
        return Stamp()
    return Stamp(found.st_ctime_ns, found.st_size, found.st_ino)
