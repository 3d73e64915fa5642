"""All collectors at work: started, replaced when the configuration changes, and stopped."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Mapping

from agent.lane import Lane
from agent.recipe import Recipe
from agent.runner import Runner
from agent.sheet import Demand
from watchkeeper.clock import Clock
from watchkeeper.logs import get_logger

log = get_logger(__name__)

GRID_SECONDS = 60.0
"""What most intervals divide: those that do run right after one another. A process takes less
when its work is together: the processor's caches are filled."""

TURN_SECONDS = 0.01
"""Between one lane and the next: two at a time would take the interpreter from each other, which
cost a fifth of all CPU."""

LOOK_SECONDS = 0.2
"""How often first runs are looked after while they are waited for."""


class Schedule:
    """The runners by name, and their lanes. Whoever reads them waits for none of them.

    Args:
        clock: paces the collectors.
        rng: chooses when in their interval all run, so that many agents do not ask at once.
    """

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self.demand = Demand()
        """How what is collected will be asked for."""
        self._clock = clock
        self._grid_seconds = clock.monotonic_seconds() + rng.uniform(0, GRID_SECONDS)
        self._runners: dict[str, Runner] = {}  # replaced whole, so that a reader needs no lock
        self._lanes: dict[str, Lane] = {}  # likewise
        self._turns: dict[str, int] = {}  # of the lanes
        self._changing = threading.Lock()
        self._overdue: set[str] = set()

    @property
    def runners(self) -> Mapping[str, Runner]:
        """The runners at work, by name in the order of the configuration."""
        return self._runners

    def run(self, recipes: Iterable[Recipe]) -> None:
        """Run exactly these from now on; one that did not change runs on undisturbed."""
        with self._changing:
            before = self._runners
            now = {recipe.name: self._runner_for(recipe, before) for recipe in recipes}
            for name, runner in before.items():
                if now.get(name) is not runner:
                    runner.retire()
            self._runners = now
            self._drive_lanes()

    def _runner_for(self, recipe: Recipe, before: Mapping[str, Runner]) -> Runner:
        runner = before.get(recipe.name)
        if runner is not None and runner.recipe == recipe:
            return runner
        turn = self._turns.setdefault(recipe.lane, len(self._turns))
        first_seconds = self._grid_seconds + turn * TURN_SECONDS
        wait_seconds = first_seconds - self._clock.monotonic_seconds()
        phase_seconds = wait_seconds % recipe.interval_seconds
        return Runner(recipe, self._clock, self.demand, phase_seconds=phase_seconds, after=runner)

    def _drive_lanes(self) -> None:
        by_lane: dict[str, list[Runner]] = {name: [] for name in self._lanes}
        for runner in self._runners.values():
            by_lane.setdefault(runner.recipe.lane, []).append(runner)
        new = {name: Lane(name, self._clock) for name in by_lane.keys() - self._lanes.keys()}
        self._lanes = self._lanes | new
        for name, runners in by_lane.items():
            self._lanes[name].drive(runners)

    def stop(self, timeout_seconds: float = 2.0) -> None:
        """End all of them, waiting at most this long for runs in progress."""
        self.run([])
        deadline = self._clock.monotonic_seconds() + timeout_seconds
        for lane in self._lanes.values():
            lane.join(max(0.0, deadline - self._clock.monotonic_seconds()))

    def look_after(self) -> None:
        """Relieve lanes that are held up, and log once what hangs; call it every second or so."""
        for lane in self._lanes.values():
            lane.relieve()
        now = self._clock.monotonic_seconds()
        overdue = {name for name, runner in self._runners.items() if runner.is_overdue(now)}
        for name in sorted(overdue - self._overdue):
            log.warning("collector hangs", extra={"collector": name})
        self._overdue = overdue

    def wait_for_first_runs(self, timeout_seconds: float) -> None:
        """Return when each collector has run once, or after ``timeout_seconds``."""
        deadline = self._clock.monotonic_seconds() + timeout_seconds
        for runner in self._runners.values():
            while not runner.wait_for_first_run(LOOK_SECONDS):
                self.look_after()
                if self._clock.monotonic_seconds() > deadline:
                    return
