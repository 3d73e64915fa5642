"""A process' log file: appended by the process itself, capped in size by the supervisor."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import IO

MAX_BYTES = 16 << 20
"""With the one older file kept, a process that logs in a loop costs at most twice this."""

TAIL_BYTES = 4096


class LogFile:
    """``NAME.log``, with one predecessor ``NAME.log.1``."""

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self.path = path
        self.max_bytes = max_bytes

    def open(self) -> IO[bytes]:
        """Return the file for a child to append to; its directory is made when missing."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self.path.open("ab", buffering=0)

    def cap(self) -> None:
        """Move a file that has grown past its cap aside, without the writer noticing.

        The writer keeps its descriptor, so the content is copied and the file cut; it appends
        (O_APPEND), so its next line lands at the start. A line written between the two is lost:
        the price of log files that do not depend on the supervisor's being quick.
        """
        try:
            if self.path.stat().st_size <= self.max_bytes:
                return
        except FileNotFoundError:
            return
        shutil.copyfile(self.path, self.path.with_name(self.path.name + ".1"))
        os.truncate(self.path, 0)

    def last_line(self) -> str:
        """Return what the process said last, for people: of a JSON line its message."""
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, self.path.stat().st_size - TAIL_BYTES))
                lines = file.read().decode("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return ""
        text = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return _message(text)[:200]


def _message(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    return str(entry.get("msg", line)) if isinstance(entry, dict) else line
