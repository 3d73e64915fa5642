"""One full collection, for a look without a server."""

from __future__ import annotations

import random
from collections.abc import Sequence

from agent.exposition import Exposition
from agent.recipe import Recipe
from agent.schedule import Schedule
from agent.text import TextFormat
from watchkeeper.clock import SystemClock

PATIENCE_SECONDS = 1.0
"""Beyond the deadline: a run that ends on it must still be counted."""


def collect_once(recipes: Sequence[Recipe], rng: random.Random) -> bytes:
    """Return the page after one run of each; one that hangs is shown as failed, not waited for."""
    clock = SystemClock()
    schedule = Schedule(clock, rng)
    schedule.run(recipes)
    longest = max((recipe.deadline_seconds for recipe in recipes), default=0.0)
    schedule.wait_for_first_runs(longest + PATIENCE_SECONDS)
    page = Exposition(clock).render(schedule, TextFormat.PROMETHEUS)
    schedule.stop()
    return page
