"""Commits what several callers bring at the same time in one transaction.

A commit waits for the disk, and a transaction asks the same questions of the database for one alert
as for a thousand. Whoever finds a commit under way waits and goes into the next together with all
others who came meanwhile; nobody waits for others to come. Each caller still returns only when its
own part is on disk.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from watchkeeper.errors import StorageError
from watchkeeper.storage import is_of_the_database

MAX_TOGETHER = 2000
"""Items in one transaction; one that is brought more at once is still committed whole."""

Item = TypeVar("Item")


class _Part(Generic[Item]):
    """What one caller brought, and what became of it."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.is_done = False
        self.error: Exception | None = None


class GroupCommit(Generic[Item]):
    """Brings the items of concurrent callers to ``commit`` together, in the order they came.

    Args:
        commit: writes all items or none, and raises when it wrote none.
    """

    def __init__(self, commit: Callable[[Sequence[Item]], None]) -> None:
        self._commit = commit
        self._turn = threading.Lock()
        self._waiting: list[_Part[Item]] = []
        self._waiting_lock = threading.Lock()

    def add(self, items: Sequence[Item]) -> None:
        """Return when ``items`` are committed.

        Raises:
            StorageError: nothing of ``items`` was kept.
        """
        part = _Part(items)
        with self._waiting_lock:
            self._waiting.append(part)
        with self._turn:
            while not part.is_done:  # those who came earlier may have filled a transaction
                self._commit_together(self._next_parts())
        if part.error is not None:
            raise part.error

    def _next_parts(self) -> list[_Part[Item]]:
        """Take as many as fit into one transaction, the longest waiting first."""
        with self._waiting_lock:
            count = total = 0
            while count < len(self._waiting):
                total += len(self._waiting[count].items)
                if count and total > MAX_TOGETHER:
                    break
                count += 1
            taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    def _commit_together(self, parts: Sequence[_Part[Item]]) -> None:
        error: Exception | None = StorageError("the commit was broken off")
        try:
            self._commit([item for part in parts for item in part.items])
            error = None
        except Exception as problem:  # noqa: BLE001  # raised again where each part came from
            error = problem
        finally:
            if error is None or len(parts) == 1 or is_of_the_database(error):
                for part in parts:
                    part.error, part.is_done = error, True
            else:  # what one caller brought must not cost the others theirs
                for part in parts:
                    self._commit_together([part])
