"""One full collection, for a look without a server."""

from __future__ import annotations

import random
from collections.abc import Sequence

from agent.exposition import Exposition
from agent.recipe import Recipe
from agent.schedule import Schedule
from agent.status import Status
from agent.text import TextFormat
from watchkeeper.clock import SystemClock

PATIENCE_SECONDS = 1.0
"""Beyond the deadline: a run that ends on it must still be counted."""


def outcomes(recipes: Sequence[Recipe], rng: random.Random) -> dict[str, str]:
    """Return by name what one run of each brought: its series, or why it failed."""
    clock = SystemClock()
    schedule = Schedule(clock, rng)
    schedule.run(recipes)
    schedule.wait_for_first_runs(_longest(recipes) + PATIENCE_SECONDS)
    now = clock.monotonic_seconds()
    statuses = {name: runner.status(now) for name, runner in schedule.runners.items()}
    schedule.stop()
    return {name: _outcome(status) for name, status in statuses.items()}


def _outcome(status: Status) -> str:
    if not status.success:
        return f"fails: {status.reason or 'no answer'}"
    return f"{status.series} series" if status.series else "nothing to tell on this machine"


def _longest(recipes: Sequence[Recipe]) -> float:
    return max((recipe.deadline_seconds for recipe in recipes), default=0.0)


def collect_once(recipes: Sequence[Recipe], rng: random.Random) -> bytes:
    """Return the page after one run of each; one that hangs is shown as failed, not waited for."""
    clock = SystemClock()
    schedule = Schedule(clock, rng)
    schedule.run(recipes)
    schedule.wait_for_first_runs(_longest(recipes) + PATIENCE_SECONDS)
    page = Exposition(clock).render(schedule, TextFormat.PROMETHEUS)
    schedule.stop()
    return page
