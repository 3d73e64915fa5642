"""A process' log file: appended by the process itself, capped in size by the supervisor."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import IO

MAX_BYTES = 16 << 20
"""With the one older file kept, a process that logs in a loop costs about three times this."""

TAIL_BYTES = 4096

COPY_BYTES = 1 << 20
"""Copied at a time."""


class LogFile:
    """``NAME.log``, with one predecessor ``NAME.log.1``.

    Attributes:
        problem: what went wrong when the file was last cut; empty when nothing did.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self.path = path
        self.max_bytes = max_bytes
        self.problem = ""

    def open(self) -> IO[bytes]:
        """Return the file for a child to append to; its directory is made when missing."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self.path.open("ab", buffering=0)

    def cap(self) -> None:
        """Move a file that has grown past its cap aside, without the writer noticing.

        The writer keeps its descriptor, so the content is copied and the file cut; it appends
        (O_APPEND), so its next line lands at the start. A line written between the two is lost:
        the price of log files that do not depend on the supervisor's being quick. Of a flood
        twice ``max_bytes`` are kept: a copy that followed the writer for longer would hold up the
        supervisor for as long as the flood lasts.

        Where there is no room for the copy the file is cut without one: a disk that is full of
        this log is worse than the loss of its older lines. What went wrong is ``problem``.
        """
        try:
            size_bytes = self.path.stat().st_size
            if size_bytes <= self.max_bytes:
                return
            self.problem = self._keep_a_copy(size_bytes)
            os.truncate(self.path, 0)
        except FileNotFoundError:
            return
        except OSError as error:
            self.problem = f"{self.path} cannot be kept small: {error.strerror}"

    def _keep_a_copy(self, size_bytes: int) -> str:
        predecessor = self.path.with_name(self.path.name + ".1")
        try:
            with self.path.open("rb") as source, predecessor.open("wb") as copy:
                source.seek(max(0, size_bytes - 2 * self.max_bytes))
                _copy(source, copy, 2 * self.max_bytes)
        except OSError as error:
            with suppress(OSError):
                predecessor.unlink(missing_ok=True)  # half of it would hold the room there is
            return f"older lines of {self.path} are lost, {predecessor.name}: {error.strerror}"
        return ""

    def last_line(self) -> str:
        """Return what the process said last, for people: of a JSON line its message."""
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, self.path.stat().st_size - TAIL_BYTES))
                lines = file.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return ""
        text = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return _message(text)[:200]


def _copy(source: IO[bytes], copy: IO[bytes], most_bytes: int) -> None:
    """Copy at most so many bytes, however fast the source grows meanwhile."""
    while most_bytes and (piece := source.read(min(most_bytes, COPY_BYTES))):
        copy.write(piece)
        most_bytes -= len(piece)


def _message(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    return str(entry.get("msg", line)) if isinstance(entry, dict) else line
