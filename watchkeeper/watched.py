"""A file that may change while a service runs, and what was last read from it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from watchkeeper.errors import ConfigError
from watchkeeper.logs import get_logger
from watchkeeper.stamp import stamp_of

log = get_logger(__name__)

Content = TypeVar("Content")


class Watched(Generic[Content]):
    """A file, read again when it changes.

    ``current`` is always usable: a bad edit is reported (``problem``, the log, and whatever
    ``on_reload`` does with it) and what was last read well stays in force.

    Args:
        path: the file.
        read: returns its content or raises ConfigError.
        on_reload: told the problem, or None, after each attempt to read it again.
    """

    def __init__(
        self,
        path: Path,
        read: Callable[[Path], Content],
        *,
        on_reload: Callable[[ConfigError | None], None] = lambda _problem: None,
    ) -> None:
        self.path = path
        self._read = read
        self._stamp = stamp_of(path)
        self.current: Content = read(path)
        self.problem: ConfigError | None = None
        self._on_reload = on_reload
        self._lock = threading.Lock()

    def reload_if_changed(self) -> bool:
        """Read the file again when it is another than last time; return whether it was used."""
        with self._lock:
            stamp = stamp_of(self.path)
            if stamp == self._stamp:
                return False
            is_used = self._reload()
            self._stamp = stamp
            return is_used

    def reload(self) -> bool:
        """Read the file again though it did not change: the secrets it names may have."""
        with self._lock:
            return self._reload()

    def _reload(self) -> bool:
        try:
            self.current = self._read(self.path)
            self.problem = None
            log.info("configuration reloaded", extra={"file": str(self.path)})
        except ConfigError as error:
            self.problem = error
            log.warning(
                "configuration kept: the changed file cannot be used",
                extra={"file": str(self.path), "problems": [str(p) for p in error.problems]},
            )
        self._on_reload(self.problem)
        return self.problem is None
