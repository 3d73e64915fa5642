"""Looking again for servers that nobody configured and that were not there before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping

from agent.candidates import Candidate
from agent.configured import Configured
from agent.presence import present
from watchkeeper.clock import Clock
from watchkeeper.logs import get_logger

log = get_logger(__name__)

Look = Callable[[Configured], list[str]]
Presence = Callable[[Collection[str], Mapping[str, str]], frozenset[str]]

PAUSE_SECONDS = 60.0
"""Between two looks at who is there: a server that starts later is found within it."""

ASK_AGAIN_SECONDS = 600.0
"""Between two times of asking those who refused us: it takes a process that ends, and a tenth of a
second of CPU."""

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

    Who is there is looked at without asking; that is done when somebody came, and rarely when
    nobody did, for those who refused us.

    Args:
        clock: paces it.
        look: returns the names of those that can be watched now and are not yet.
        presence: returns the names of the places of some kinds where somebody listens.
    """

    def __init__(self, clock: Clock, look: Look = appeared, presence: Presence = present) -> None:
        self._clock = clock
        self._look = look
        self._presence = presence
        self._looked_at = self._asked_at = clock.monotonic_seconds()
        self._asked: frozenset[str] = frozenset()

    def sees_more(self, configured: Configured) -> bool:
        """Return whether it is time to look, and there is more than what is in force."""
        now = self._clock.monotonic_seconds()
        if not configured.kinds_to_discover or now - self._looked_at < PAUSE_SECONDS:
            return False
        self._looked_at = now
        watched = {Candidate(**one).name for one in configured.discovered}
        there = self._presence(configured.kinds_to_discover, os.environ) - watched
        if there <= self._asked and now - self._asked_at < ASK_AGAIN_SECONDS:
            self._asked = there  # who went and comes back is asked again
            return False
        self._asked, self._asked_at = there, now
        return bool(there) and bool(self._look(configured))
