"""What is still to be sent, on disk: the oldest goes first, and first overboard."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import NamedTuple

SUFFIX = ".otlp"
UNFINISHED = ".part"


class Entry(NamedTuple):
    """One message that waits."""

    path: Path
    size_bytes: int


class Spool:
    """A directory of messages, one a file, within a bound; one thread may add, another remove.

    Args:
        directory: made where it is missing; what an earlier process left there is taken over.
        max_bytes: of all messages together; when one more does not fit, the oldest are dropped.

    Attributes:
        dropped: messages dropped for want of room.

    Raises:
        OSError: the directory cannot be used.
    """

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self.dropped = 0
        self._directory = directory
        self._max_bytes = max_bytes
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in directory.glob(f"*{UNFINISHED}"):
            path.unlink()  # its writer was killed; it was never complete
        messages = directory.glob(f"*{SUFFIX}")
        # What somebody else put there is not ours to send, nor a reason not to start.
        found = sorted(path for path in messages if path.stem.isdecimal() and path.is_file())
        self._entries = [Entry(path, path.stat().st_size) for path in found]
        self._next = int(found[-1].stem) + 1 if found else 0
        self._changing = threading.RLock()

    @property
    def size_bytes(self) -> int:
        """What all messages take together."""
        with self._changing:
            return sum(entry.size_bytes for entry in self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, message: bytes) -> None:
        """Keep ``message``, and drop the oldest for it if need be.

        Raises:
            OSError: it cannot be written; what was kept before still is.
        """
        with self._changing:
            if len(message) > self._max_bytes:
                self.dropped += 1
                return
            while self._entries and self.size_bytes + len(message) > self._max_bytes:
                self.remove(self._entries[0])
                self.dropped += 1
            path = self._directory / f"{self._next:016d}{SUFFIX}"
            self._next += 1  # even when it cannot be written: the next name may do
            _write_whole(path, message)
            self._entries.append(Entry(path, len(message)))

    def oldest(self) -> Entry | None:
        """Return the message to send next, or None."""
        with self._changing:
            return self._entries[0] if self._entries else None

    def remove(self, entry: Entry) -> None:
        """Forget a message: it was sent, or never will be.

        Raises:
            OSError: its file stays; it is forgotten until the next start.
        """
        with self._changing:
            if entry in self._entries:
                self._entries.remove(entry)
            entry.path.unlink(missing_ok=True)


def _write_whole(path: Path, content: bytes) -> None:
    unfinished = path.with_suffix(UNFINISHED)
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        unfinished.rename(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
