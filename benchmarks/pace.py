"""So many deeds a second, kept up with over time: what was late is made up for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def keep_pace(deed: Callable[[], object], per_second: float, ending: threading.Event) -> None:
    """Call ``deed`` that often, on average, until ``ending`` is set."""
    started = time.monotonic()
    done = 0
    while not ending.wait(max(0.0, started + (done + 1) / per_second - time.monotonic())):
        deed()
        done += 1
