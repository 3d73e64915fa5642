"""A file that may change while a service runs, and what was last read from it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from watchkeeper.errors import ConfigError, Problem
from watchkeeper.logs import get_logger
from watchkeeper.stamp import Stamp, stamp_of

log = get_logger(__name__)

Content = TypeVar("Content")


def _nothing(_content: object) -> Mapping[Path, Stamp]:
    return {}


class Watched(Generic[Content]):
    """A file, read again when it, or a file that its content leans on, is another.

    ``current`` is always usable: a bad edit is reported (``problem``, the log, and whatever
    ``on_reload`` does with it) and what was last read well stays in force.

    Args:
        path: the file.
        read: returns its content or raises ConfigError, which tells what its problems lean on: a
            secret that is not there yet is taken up when it is.
        leans_on: returns the files a content leans on, such as those of its secrets, as they were
            just before they were read.
        on_reload: told the problem, or None, after each attempt to read it again.
    """

    def __init__(
        self,
        path: Path,
        read: Callable[[Path], Content],
        *,
        leans_on: Callable[[Content], Mapping[Path, Stamp]] = _nothing,
        on_reload: Callable[[ConfigError | None], None] = lambda _problem: None,
    ) -> None:
        self.path = path
        self._read = read
        self._leans_on = leans_on
        stamp = stamp_of(path)
        self.current: Content = read(path)
        self._stamps = {path: stamp, **leans_on(self.current)}
        self.problem: ConfigError | None = None
        self._on_reload = on_reload
        self._lock = threading.Lock()

    def reload_if_changed(self) -> bool:
        """Read the file again when one of the files is another; return whether it was used.

        What could not be used is not tried again before one of them is another.
        """
        with self._lock:
            stamps = self._stamps_now()
            return stamps != self._stamps and self._reload(stamps)

    def reload(self) -> bool:
        """Read the file again though no file changed: what else it stands on may have."""
        with self._lock:
            return self._reload(self._stamps_now())

    def _stamps_now(self) -> dict[Path, Stamp]:
        return {file: stamp_of(file) for file in self._stamps}

    def _reload(self, stamps: Mapping[Path, Stamp]) -> bool:
        try:
            content = self._read(self.path)
            leans_on = self._leans_on(content)
        except ConfigError as error:
            self._keep(error, stamps)
        except Exception as error:
            # A flaw of ours in what reads the file: it must not be met again at every look.
            log.exception("a configuration file cannot be read", extra={"file": str(self.path)})
            message = f"cannot be read: {type(error).__name__}: {error}"
            self._keep(ConfigError([Problem(str(self.path), 1, "", message)]), stamps)
        else:
            self.current, self.problem = content, None
            self._stamps = {self.path: stamps[self.path], **leans_on}
            log.info("configuration reloaded", extra={"file": str(self.path)})
        self._on_reload(self.problem)
        return self.problem is None

    def _keep(self, error: ConfigError, stamps: Mapping[Path, Stamp]) -> None:
        self.problem = error
        self._stamps = {**stamps, **error.leans_on}
        log.warning(
            "configuration kept: the changed file cannot be used",
            extra={"file": str(self.path), "problems": [str(p) for p in error.problems]},
        )
