"""What no threshold sees: nothing fails, nothing is slow, and yet something is not as it was."""

from __future__ import annotations

import threading
import time

import redis

from taskboard.agents import Agent
from taskboard.board import Board
from taskboard.search import cache_key
from taskboard.task import Conflict
from taskboard.vocabulary import WORDS

BOARD_ROUTE = "/board"
EXTRA_OVERVIEWS = 8
HANDOVER_ROUTE = "/tasks/<uuid:task_id>/handover"
EVICTION_PAUSE_SECONDS = 0.05
LONGEST_SECONDS = 15 * 60


class ColdCache:
    """Something throws search results out of the cache as soon as they are in it.

    Every search is answered by the database, a few milliseconds later and just as well.
    """

    def __init__(self, cache: redis.Redis, agent: Agent) -> None:
        self._cache = cache
        self._keys = [cache_key(agent, word) for word in WORDS]
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Break it."""
        if not self.is_on():
            self._stopping = threading.Event()
            self._thread = threading.Thread(target=self._evict, name="cold-cache", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Mend it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def is_on(self) -> bool:
        """Return whether it is broken now."""
        return self._thread is not None and self._thread.is_alive()

    def _evict(self) -> None:
        deadline = time.monotonic() + LONGEST_SECONDS
        while not self._stopping.wait(EVICTION_PAUSE_SECONDS) and time.monotonic() < deadline:
            self._cache.delete(*self._keys)


def ask_again_and_again(board: Board) -> None:
    """Ask the database for what is asked for anyway, as code does that fetches in a loop."""
    for _ in range(EXTRA_OVERVIEWS):
        board.overview()


def refuse_handover() -> None:
    """Refuse politely what ought to be allowed, as a wrong rule does: no server error."""
    raise Conflict("switched on by /faults/refused-handovers")
