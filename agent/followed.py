"""The configuration file as it is followed while the agent runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.configured import Configured
from agent.lookout import Lookout
from watchkeeper.clock import Clock
from watchkeeper.watched import Watched


class Followed:
    """A configuration file, read again when it, or a file that a secret of it is in, is another.

    It is read again, too, when a server appeared that it lets us discover.

    Looking costs a ``stat`` a file; reading starts an interpreter and is done for a reason only. A
    secret that comes from the environment cannot change while we run.

    Args:
        path: the file.
        read: turns it into what to run.
        clock: tells when it was read, and when to look for servers.
        lookout: tells whether a server appeared.

    Attributes:
        read_at: when what is in force was read.

    Raises:
        ConfigError: the file cannot be used.
    """

    def __init__(
        self,
        path: Path,
        read: Callable[[Path], Configured],
        clock: Clock,
        lookout: Lookout | None = None,
    ) -> None:
        self._clock = clock
        self._lookout = lookout or Lookout(clock)
        self._watched: Watched[Configured] = Watched(
            path, read, leans_on=lambda configured: configured.secrets
        )
        self.read_at: datetime = clock.now()

    @property
    def current(self) -> Configured:
        """What is in force: what was last read well."""
        return self._watched.current

    @property
    def name(self) -> str:
        """The file's name, without its directory."""
        return self._watched.path.name

    @property
    def is_good(self) -> bool:
        """Whether what was last read is in force."""
        return self._watched.problem is None

    def in_force(self) -> dict[str, Any]:
        """Return the file as it is told to whoever asks what is in force."""
        problem = self._watched.problem
        return {
            "file": self.name,
            "problem": str(problem) if problem else None,
            "settings": json.loads(self.current.told),
        }

    def read_if_changed(self) -> bool:
        """Read it again when there is reason to; return whether something new is in force."""
        is_used = self._watched.reload_if_changed() or (
            self._sees_more() and self._watched.reload()
        )
        if is_used:
            self.read_at = self._clock.now()
        return is_used

    def _sees_more(self) -> bool:
        return self.is_good and self._lookout.sees_more(self.current)
