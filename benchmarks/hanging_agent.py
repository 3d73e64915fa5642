"""The agent with one more collector, which sleeps for ever. For the benchmark only."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from agent import collectors
from agent.configured import read_recipes
from agent.family import Family
from agent.process import Agent, run
from agent.recipe import Recipe
from watchkeeper.clock import SystemClock
from watchkeeper.listen import parse_listen


class Sleeper:
    """Never comes back from its first run."""

    def collect(self) -> Iterator[Family]:
        """Sleep."""
        threading.Event().wait()
        yield from ()

    def close(self) -> None:
        """Nothing is held open."""


def with_sleeper(path: Path) -> list[Recipe]:
    """Return the recipes of a file and one for the sleeper."""
    return [*read_recipes(path), Recipe("sleeper", "sleeper", {}, 1.0, 1.0, 10, "host")]


if __name__ == "__main__":
    collectors.COLLECTORS["sleeper"] = "benchmarks.hanging_agent:Sleeper"
    run(Agent(Path(sys.argv[1]), parse_listen(sys.argv[2]), SystemClock(), with_sleeper))
