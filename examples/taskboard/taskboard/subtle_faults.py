"""What no threshold sees: nothing fails, nothing is slow, and yet something is not as it was."""

from __future__ import annotations

import redis

from taskboard.agents import Agent
from taskboard.board import Board
from taskboard.lasting import LastingFault
from taskboard.search import cache_key
from taskboard.task import Conflict
from taskboard.vocabulary import WORDS

BOARD_ROUTE = "/board"
EXTRA_OVERVIEWS = 8
HANDOVER_ROUTE = "/tasks/<uuid:task_id>/handover"
EVICTION_PAUSE_SECONDS = 0.05


def cold_cache(cache: redis.Redis, agent: Agent) -> LastingFault:
    """Return what throws search results out of the cache as soon as they are in it.

    Every search is answered by the database, a few milliseconds later and just as well.
    """
    keys = [cache_key(agent, word) for word in WORDS]

    def evict() -> None:
        cache.delete(*keys)

    return LastingFault("cold-cache", EVICTION_PAUSE_SECONDS, lambda: evict)


def ask_again_and_again(board: Board) -> None:
    """Ask the database for what is asked for anyway, as code does that fetches in a loop."""
    for _ in range(EXTRA_OVERVIEWS):
        board.overview()


def refuse_handover() -> None:
    """Refuse politely what ought to be allowed, as a wrong rule does: no server error."""
    raise Conflict("switched on by /faults/refused-handovers")
