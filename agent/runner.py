"""Runs one collector when told to, and keeps what it last brought.

A collector that hangs costs its own series only: its run is never repeated beside itself, and its
samples expire.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from agent.collector import CollectionFailed, Collector, OfServer
from agent.family import Family, limit_series
from agent.recipe import Recipe
from agent.sheet import NOTHING, Demand, Sheet
from agent.status import Status
from agent.text import Renderer
from agent.timetable import backoff_seconds, next_due_seconds
from watchkeeper.clock import Clock
from watchkeeper.errors import Reason, WatchkeeperError
from watchkeeper.logs import get_logger

log = get_logger(__name__)


class Runner:
    """One collector, its timetable and its results.

    Args:
        recipe: what to run.
        clock: asked for monotonic seconds only.
        demand: how what it brings will be asked for.
        phase_seconds: between its first run, which is at once, and the grid of the later ones.
        after: the runner it takes the place of; it is waited for, so that one name never has two
            runs in progress, and what it says holds until then.

    Attributes:
        due_seconds: when it should run next.
    """

    def __init__(
        self,
        recipe: Recipe,
        clock: Clock,
        demand: Demand,
        *,
        phase_seconds: float,
        after: Runner | None = None,
    ) -> None:
        self.recipe = recipe
        self.due_seconds = clock.monotonic_seconds()
        self._grid_seconds = self.due_seconds + phase_seconds - recipe.interval_seconds
        self._clock = clock
        self._demand = demand
        self._after = after
        self._renderer = Renderer()
        self._collector: Collector | None = None
        self._silence = NOTHING
        self._status = Status()  # replaced whole, so that a reader needs no lock
        self._state = threading.Lock()
        self._is_running = False
        self._is_retired = False
        self._first_run_over = threading.Event()

    @property
    def is_available(self) -> bool:
        """Whether it may run: it is not running, and the one it replaces is over."""
        if self._is_running or self._is_retired:
            return False
        return self._predecessor is None

    @property
    def _predecessor(self) -> Runner | None:
        """The one it replaces, while a run of that is still in progress."""
        after = self._after
        return after if after is not None and not after.is_over else None

    @property
    def is_over(self) -> bool:
        """Whether neither it nor one before it runs now or ever again."""
        return self._is_retired and not self._is_running and self._predecessor is None

    def run(self) -> None:
        """Run the collector once, unless it is running or retired."""
        with self._state:
            if not self.is_available:
                return
            self._is_running = True
        self._after = None
        self._status = self._outcome(self._clock.monotonic_seconds())
        self._first_run_over.set()
        self._grid_seconds = next_due_seconds(
            self._grid_seconds,
            self._clock.monotonic_seconds(),
            self.recipe.interval_seconds,
            self._status.failures,
        )
        self.due_seconds = self._grid_seconds
        with self._state:
            self._is_running = False
            if self._is_retired:
                self._close()

    def retire(self) -> None:
        """Never run again; the collector is closed now, or when the run in progress ends."""
        with self._state:
            if not self._is_retired:
                self._is_retired = True
                if not self._is_running:
                    self._close()

    def wait_for_first_run(self, timeout_seconds: float) -> bool:
        """Return whether its first run was over within the time."""
        return self._first_run_over.wait(timeout_seconds)

    def status(self, now_seconds: float) -> Status:
        """Return its status at ``now_seconds``: a run past its deadline has failed already."""
        if (before := self._predecessor) is not None:
            return before.status(now_seconds)
        status = self._status
        if not self._has_no_end(status, now_seconds):
            return status
        assert status.running_since is not None  # noqa: S101  # narrows the type
        failed = status.failed(Reason.TIMEOUT, now_seconds - status.running_since)
        silence = self._silence.families
        if not silence:
            return failed
        return failed._replace(series=sum(len(one.samples) for one in silence), collected_at=None)

    def is_overdue(self, now_seconds: float) -> bool:
        """Return whether the run in progress is past its deadline at ``now_seconds``."""
        return self._has_no_end(self._status, now_seconds)

    def sheet(self, now_seconds: float) -> Sheet:
        """Return what may be served at ``now_seconds``: nothing once it has expired."""
        if (before := self._predecessor) is not None:
            return before.sheet(now_seconds)
        status = self._status
        if self._silence.families and self._has_no_end(status, now_seconds):
            return self._silence
        return status.sheet if now_seconds <= status.expires_at else NOTHING

    def _has_no_end(self, status: Status, now_seconds: float) -> bool:
        since = status.running_since
        return since is not None and now_seconds - since > self.recipe.deadline_seconds

    def _make(self) -> Collector:
        collector = self.recipe.make()
        if isinstance(collector, OfServer):
            # Asked for now: later it may be in the middle of a run.
            families = collector.when_silent()
            self._silence = Sheet(Renderer().render(families), families)
        return collector

    def _close(self) -> None:
        if self._collector is not None:
            self._collector.close()

    def _outcome(self, started: float) -> Status:
        before = self._status
        self._status = before._replace(running_since=started)
        try:
            if self._collector is None:
                self._collector = self._make()
            status = self._succeeded(before, started, self._collector)
        except CollectionFailed as error:
            failed = self._failed(before, started, error.reason, str(error))
            return self._explained(failed, error.families)
        except WatchkeeperError as error:
            return self._failed(before, started, error.reason, str(error))
        except Exception as error:  # the supervised boundary: a collector breaks alone
            message = f"{type(error).__name__}: {error}"
            log.debug("collector raised", exc_info=True, extra={"collector": self.recipe.name})
            return self._failed(before, started, Reason.UNEXPECTED, message)
        if status.success and before.success is False:
            log.info("collector recovered", extra={"collector": self.recipe.name})
        return status

    def _succeeded(self, before: Status, started: float, collector: Collector) -> Status:
        limited = limit_series(collector.collect(), self.recipe.max_series)
        sheet = self._written(limited.families)
        now = self._clock.monotonic_seconds()
        brought = before._replace(
            series=limited.series,
            dropped=before.dropped + limited.dropped,
            sheet=sheet,
            collected_at=now,
            expires_at=now + self.recipe.expires_after_seconds,
        )
        if now - started > self.recipe.deadline_seconds:
            message = f"took {now - started:.1f} s, more than {self.recipe.deadline_seconds:g} s"
            failed = self._failed(brought, started, Reason.TIMEOUT, message)
            # Newer than what was said before, but some of it may be as old as the run.
            return failed._replace(expires_at=self._expires_at(started, failed.failures))
        return brought._replace(
            success=True,
            duration_seconds=now - started,
            last_success_at=now,
            failures=0,
            reason=None,
        )

    def _failed(self, before: Status, started: float, reason: Reason, message: str) -> Status:
        """Return the status after a failure: what was said before holds until it expires."""
        if before.success is not False:  # once an outage, not once a run
            extra = {"collector": self.recipe.name, "reason": str(reason), "detail": message}
            log.warning("collector failed", extra=extra)
        return before.failed(reason, self._clock.monotonic_seconds() - started)

    def _explained(self, failed: Status, families: Sequence[Family]) -> Status:
        """Return the status with what the collector says in place of what it said before."""
        if not families:
            return failed
        limited = limit_series(families, self.recipe.max_series)
        return failed._replace(
            sheet=self._written(limited.families),
            series=limited.series,
            dropped=failed.dropped + limited.dropped,
            collected_at=None,
            expires_at=self._expires_at(self._clock.monotonic_seconds(), failed.failures),
        )

    def _expires_at(self, told_at: float, failures: int) -> float:
        """Return until when a failed run's word holds: the next one may come late."""
        wait_seconds = backoff_seconds(self.recipe.interval_seconds, failures)
        return told_at + wait_seconds + self.recipe.expires_after_seconds

    def _written(self, families: Sequence[Family]) -> Sheet:
        blocks = self._renderer.render(families)
        wanted = families if self._demand.is_pushed else ()
        before = self._status.sheet
        is_same = before.blocks == blocks and bool(before.families) == bool(wanted)
        sheet = before if is_same else Sheet(blocks, wanted)
        sheet.prepare(self._demand)
        return sheet
