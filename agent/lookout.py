"""Looking again for servers that nobody configured and that were not there before."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

from agent.configured import Configured
from watchkeeper.clock import Clock
from watchkeeper.logs import get_logger

log = get_logger(__name__)

PAUSE_SECONDS = 60.0
"""Between two looks, each a process that ends: a server that starts later is found within it."""

PATIENCE_SECONDS = 20.0
"""For that process: its own limit is shorter, but the machine may be under full load."""


def appeared(configured: Configured) -> list[str]:
    """Return the names of the servers that can be watched now and are not yet."""
    asked = {"kinds": configured.kinds_to_discover, "known": configured.discovered}
    command = [sys.executable, "-m", "agent.discovery"]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as error:
        # Not its words, which may hold a secret of the environment.
        log.warning("cannot look for servers", extra={"detail": type(error).__name__})
        return []
    names: list[str] = json.loads(done.stdout)
    return names


class Lookout:
    """Tells now and then whether a server appeared.

    Args:
        clock: paces it.
        look: returns the names of those that appeared.
    """

    def __init__(self, clock: Clock, look: Callable[[Configured], list[str]] = appeared) -> None:
        self._clock = clock
        self._look = look
        self._looked_at = clock.monotonic_seconds()

    def sees_more(self, configured: Configured) -> bool:
        """Return whether it is time to look, and there is more than what is in force."""
        now = self._clock.monotonic_seconds()
        if not configured.kinds_to_discover or now - self._looked_at < PAUSE_SECONDS:
            return False
        self._looked_at = now
        return bool(self._look(configured))
