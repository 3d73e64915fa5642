"""The agent with one more collector, which sleeps for ever. For the benchmark only."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from agent import collectors
from agent.configured import Configured, read_configured
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


def with_sleeper(path: Path) -> Configured:
    """Return what a file asks for and a recipe for the sleeper."""
    configured = read_configured(path)
    sleeper = Recipe("sleeper", "sleeper", {}, 1.0, 1.0, 10, "host")
    return configured._replace(recipes=[*configured.recipes, sleeper])


if __name__ == "__main__":
    collectors.COLLECTORS["sleeper"] = "benchmarks.hanging_agent:Sleeper"
    run(Agent(Path(sys.argv[1]), parse_listen(sys.argv[2]), SystemClock(), with_sleeper))
