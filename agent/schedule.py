"""All collectors at work: started, replaced when the configuration changes, and stopped."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Mapping

from agent.recipe import Recipe
from agent.runner import Runner
from agent.sheet import Demand
from watchkeeper.clock import Clock
from watchkeeper.logs import get_logger

log = get_logger(__name__)


class Schedule:
    """The runners by name. Whoever reads them waits for none of them."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self.demand = Demand()
        """How what is collected will be asked for."""
        self._clock = clock
        self._rng = rng
        self._runners: dict[str, Runner] = {}  # replaced whole, so that a reader needs no lock
        self._changing = threading.Lock()
        self._overdue: set[str] = set()

    @property
    def runners(self) -> Mapping[str, Runner]:
        """The runners at work, by name in the order of the configuration."""
        return self._runners

    def run(self, recipes: Iterable[Recipe]) -> None:
        """Run exactly these from now on; one that did not change runs on undisturbed."""
        with self._changing:
            before, now = self._runners, {}
            for recipe in recipes:
                runner = before.get(recipe.name)
                if runner is None or runner.recipe != recipe:
                    runner = Runner(recipe, self._clock, self._rng, self.demand, after=runner)
                now[recipe.name] = runner
            for name, runner in before.items():
                if now.get(name) is not runner:
                    runner.stop()
            self._runners = now
            for name, runner in now.items():
                if before.get(name) is not runner:
                    runner.start()

    def stop(self, timeout_seconds: float = 2.0) -> None:
        """End all of them, waiting at most this long for runs in progress."""
        runners = list(self._runners.values())
        self.run([])
        deadline = self._clock.monotonic_seconds() + timeout_seconds
        for runner in runners:
            runner.join(max(0.0, deadline - self._clock.monotonic_seconds()))

    def report_overdue(self) -> None:
        """Log, once each, the collectors that are past their deadline; call it now and then."""
        now = self._clock.monotonic_seconds()
        overdue = {name for name, runner in self._runners.items() if runner.is_overdue(now)}
        for name in sorted(overdue - self._overdue):
            log.warning("collector hangs", extra={"collector": name})
        self._overdue = overdue
