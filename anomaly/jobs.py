"""APScheduler as a clock: when each query is evaluated, and what did not run on time."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobEvent,
)
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from watchkeeper.clock import Clock, SystemClock
from watchkeeper.logs import get_logger

log = get_logger(__name__)

THREADS = 64
"""An upper limit, not a number kept running: a query that hangs holds one and nobody else's."""

SLOW_THREADS = 1
"""Trials run one after the other, in threads of their own, so that they never hold up scoring."""

LONGEST_SPREAD_SECONDS = 10.0
"""Start times are spread over the cadence, but nobody waits longer than this for a first answer."""


CLOCK_LOOKED_AT_EVERY_SECONDS = 1.0

SET_BACK_SECONDS = 2.0
"""Far more than the clock is slewed by between two looks."""


class Threads(ThreadPoolExecutor):  # type: ignore[misc]  # APScheduler has no types
    """A pool that forgets what it has not begun when it is stopped, so that nobody waits for it."""

    def shutdown(self, wait: bool = True) -> None:  # noqa: FBT001, FBT002  # APScheduler's signature
        """Take no more work."""
        self._pool.shutdown(wait, cancel_futures=True)


class Jobs:
    """Named jobs at fixed intervals.

    Runs that come due while the same job still runs are merged into one (``coalesce``), a job never
    runs twice at the same time, and every run skipped or merged is told to ``missed``. When the
    clock is set back, a job runs soon instead of waiting longer than its interval.

    Args:
        missed: called with the job's name for each run that did not happen.
        failed: called with the job's name and what it raised; the job stays scheduled.
        clock: of this machine, by which APScheduler goes.
    """

    def __init__(
        self,
        *,
        missed: Callable[[str], None],
        failed: Callable[[str, BaseException], None],
        clock: Clock | None = None,
    ) -> None:
        self._missed = missed
        self._failed = failed
        self._clock = clock or SystemClock()
        self._ahead_seconds = self._ahead_of_monotonic_seconds()
        self._stopped = threading.Event()
        self._watch = threading.Thread(target=self._watch_clock, name="clock-watch", daemon=True)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={
                "default": Threads(THREADS),
                "slow": Threads(SLOW_THREADS),
            },
            job_defaults={"coalesce": True, "max_instances": 1},
        )
        self._scheduler.add_listener(self._tell_missed, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        self._scheduler.add_listener(self._tell_failed, EVENT_JOB_ERROR)

    def every(
        self,
        seconds: float,
        name: str,
        work: Callable[[], object],
        *,
        slow_after_seconds: float | None = None,
    ) -> None:
        """Run ``work`` every so many seconds, in place of any job of that name.

        Args:
            slow_after_seconds: given for work that takes its time: when it first runs; it waits for
                other slow work rather than for a free thread.
        """
        slow = slow_after_seconds is not None
        first = spread_seconds(name, seconds) + (slow_after_seconds or 0.0)
        self._scheduler.add_job(
            work,
            "interval",
            seconds=seconds,
            executor="slow" if slow else "default",
            id=name,
            name=name,
            replace_existing=True,
            # A run may start late by up to a whole interval before the next one takes its place;
            # APScheduler's default of one second would drop runs on a busy machine.
            misfire_grace_time=max(1, int(seconds)),
            next_run_time=datetime.now(UTC) + timedelta(seconds=first),
        )

    def soon(self, name: str) -> None:
        """Run the job of that name now, and from then on at its interval; none if it is gone."""
        with suppress(JobLookupError):
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    def remove(self, name: str) -> None:
        """Run the job of that name no more."""
        self._scheduler.remove_job(name)

    @property
    def is_running(self) -> bool:
        """Return whether the clock runs."""
        return bool(self._scheduler.running)

    def start(self) -> None:
        """Start the clock."""
        self._scheduler.start()
        self._watch.start()

    def stop(self) -> None:
        """Stop the clock without waiting for what runs; what has not begun never will."""
        self._stopped.set()
        self._scheduler.shutdown(wait=False)

    def follow_clock(self) -> None:
        """Look whether the clock was set back, and then run soon what would wait too long."""
        before, self._ahead_seconds = self._ahead_seconds, self._ahead_of_monotonic_seconds()
        if before - self._ahead_seconds < SET_BACK_SECONDS:
            return
        log.warning("the clock was set back", extra={"seconds": before - self._ahead_seconds})
        now = datetime.now(UTC)
        for job in self._scheduler.get_jobs():
            if job.next_run_time is not None and job.next_run_time - now > job.trigger.interval:
                self.soon(job.id)

    def _ahead_of_monotonic_seconds(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic_seconds()

    def _watch_clock(self) -> None:
        while not self._stopped.wait(CLOCK_LOOKED_AT_EVERY_SECONDS):
            self.follow_clock()

    def _tell_missed(self, event: JobEvent) -> None:
        self._missed(event.job_id)

    def _tell_failed(self, event: JobEvent) -> None:
        self._failed(event.job_id, event.exception)


def spread_seconds(name: str, cadence_seconds: float) -> float:
    """Return how long after the start the job of that name first runs: fixed, spread by name."""
    share = zlib.crc32(name.encode()) / 2**32
    return share * min(cadence_seconds, LONGEST_SPREAD_SECONDS)
