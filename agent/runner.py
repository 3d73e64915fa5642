"""Runs one collector for ever, in a thread of its own, and keeps what it last brought.

A collector that hangs costs its own series only: nobody waits for its thread, no second one is
started beside it, and its samples expire.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent.collector import CollectionFailed, Collector
from agent.family import Family, limit_series
from agent.recipe import Recipe
from agent.sheet import NOTHING, Demand, Sheet
from agent.text import Renderer
from agent.timetable import backoff_seconds, next_due_seconds
from watchkeeper.clock import Clock
from watchkeeper.errors import Reason, WatchkeeperError
from watchkeeper.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    """What a collector did so far; times are the clock's monotonic seconds.

    ``success`` is None before its first run ended. ``running_since`` is None between runs.
    """

    success: bool | None = None
    duration_seconds: float = 0.0
    last_success_at: float | None = None
    running_since: float | None = None
    failures: int = 0
    series: int = 0
    dropped: int = 0
    errors: Counter[Reason] = field(default_factory=Counter)
    sheet: Sheet = NOTHING
    expires_at: float = 0.0


class Runner:
    """One collector on its schedule.

    Args:
        recipe: what to run.
        clock: asked for monotonic seconds only.
        rng: spreads the phases of the collectors over their interval.
        demand: how what it brings will be asked for.
        after: the runner it takes the place of; it is waited for, so that one name never has two
            threads at work.
    """

    def __init__(
        self,
        recipe: Recipe,
        clock: Clock,
        rng: random.Random,
        demand: Demand,
        *,
        after: Runner | None = None,
    ) -> None:
        self.recipe = recipe
        self._clock = clock
        self._demand = demand
        self._phase_seconds = rng.uniform(0, recipe.interval_seconds)
        self._after = after
        self._stopping = threading.Event()
        self._first_run_over = threading.Event()
        self._renderer = Renderer()
        self._collector: Collector | None = None
        self._status = Status()  # replaced whole, so that a reader needs no lock
        self._thread = threading.Thread(target=self._run, name=recipe.name, daemon=True)

    def start(self) -> None:
        """Begin; the first run is at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end after the run in progress; does not wait."""
        self._stopping.set()

    def join(self, timeout_seconds: float | None = None) -> None:
        """Wait for its thread to end."""
        self._thread.join(timeout_seconds)

    def wait_for_first_run(self, timeout_seconds: float) -> bool:
        """Return whether its first run was over within the time."""
        return self._first_run_over.wait(timeout_seconds)

    def status(self, now_seconds: float) -> Status:
        """Return its status at ``now_seconds``: a run past its deadline has failed already."""
        status = self._status
        if status.running_since is None:
            return status
        age_seconds = now_seconds - status.running_since
        if age_seconds <= self.recipe.deadline_seconds:
            return status
        return _failed(status, Reason.TIMEOUT, age_seconds, status.sheet)

    def is_overdue(self, now_seconds: float) -> bool:
        """Return whether the run in progress is past its deadline at ``now_seconds``."""
        running_since = self._status.running_since
        if running_since is None:
            return False
        return now_seconds - running_since > self.recipe.deadline_seconds

    def sheet(self, now_seconds: float) -> Sheet:
        """Return what may be served at ``now_seconds``: nothing once it has expired."""
        status = self._status
        return status.sheet if now_seconds <= status.expires_at else NOTHING

    def _run(self) -> None:
        if self._after is not None:
            self._after.join()
        due = self._clock.monotonic_seconds()
        self._run_once(due)
        self._first_run_over.set()
        due += self._phase_seconds - self.recipe.interval_seconds
        while not self._stopping.is_set():
            now = self._clock.monotonic_seconds()
            interval = self.recipe.interval_seconds
            due = next_due_seconds(due, now, interval, self._status.failures)
            if self._stopping.wait(max(due - now, 0)):
                break
            self._run_once(self._clock.monotonic_seconds())
        if self._collector is not None:
            self._collector.close()

    def _run_once(self, started: float) -> None:
        before = self._status
        self._status = replace(before, running_since=started)
        try:
            if self._collector is None:
                self._collector = self.recipe.make()
            status = self._succeeded(before, started, self._collector)
        except CollectionFailed as error:
            status = self._explained(before, started, error.reason, str(error), error.families)
        except WatchkeeperError as error:
            status = self._explained(before, started, error.reason, str(error))
        except Exception as error:  # the supervised boundary: a collector breaks alone
            message = f"{type(error).__name__}: {error}"
            status = self._explained(before, started, Reason.UNEXPECTED, message)
            log.debug("collector raised", exc_info=True, extra={"collector": self.recipe.name})
        if status.success and before.success is False:
            log.info("collector recovered", extra={"collector": self.recipe.name})
        self._status = status

    def _succeeded(self, before: Status, started: float, collector: Collector) -> Status:
        limited = limit_series(collector.collect(), self.recipe.max_series)
        sheet = self._written(limited.families)
        now = self._clock.monotonic_seconds()
        if now - started > self.recipe.deadline_seconds:
            message = f"took {now - started:.1f} s, more than {self.recipe.deadline_seconds:g} s"
            return self._explained(before, started, Reason.TIMEOUT, message)
        return Status(
            success=True,
            duration_seconds=now - started,
            last_success_at=now,
            series=limited.series,
            dropped=before.dropped + limited.dropped,
            errors=before.errors,
            sheet=sheet,
            expires_at=now + self.recipe.expires_after_seconds,
        )

    def _explained(
        self,
        before: Status,
        started: float,
        reason: Reason,
        message: str,
        families: Sequence[Family] = (),
    ) -> Status:
        if before.success is not False:  # once an outage, not once a run
            extra = {"collector": self.recipe.name, "reason": str(reason), "detail": message}
            log.warning("collector failed", extra=extra)
        now = self._clock.monotonic_seconds()
        failed = _failed(before, reason, now - started, self._written(families))
        series = sum(len(family.samples) for family in families)
        wait_seconds = backoff_seconds(self.recipe.interval_seconds, failed.failures)
        expires_at = now + wait_seconds + self.recipe.expires_after_seconds
        return replace(failed, running_since=None, series=series, expires_at=expires_at)

    def _written(self, families: Sequence[Family]) -> Sheet:
        sheet = Sheet(self._renderer.render(families))
        sheet.prepare(self._demand)
        return sheet


def _failed(status: Status, reason: Reason, duration_seconds: float, sheet: Sheet) -> Status:
    return replace(
        status,
        success=False,
        duration_seconds=duration_seconds,
        failures=status.failures + 1,
        errors=status.errors + Counter([reason]),
        sheet=sheet,
    )
