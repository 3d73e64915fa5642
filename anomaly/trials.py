"""The scheduled trials of the queries that have contenders."""

from __future__ import annotations

from collections.abc import Callable

from anomaly.backtest.samples import joined
from anomaly.backtest.trial import OutOfTime, hold_trial
from anomaly.settings import QuerySettings
from anomaly.source import RangeReader, grid_end_seconds, read_blocks
from anomaly.trial_book import TrialBook
from watchkeeper.clock import Clock
from watchkeeper.errors import UpstreamError
from watchkeeper.logs import get_logger

log = get_logger(__name__)

WINDOWS_READ = 2.0
"""A trial reads twice the query's history: one to learn from, one to judge."""

FIRST_TRIAL_SECONDS = 600.0


class Trials:
    """Holds trials, and says which detector won.

    Args:
        open_reader: makes a client with a deadline in seconds.
        book: where trials are kept.
        clock: for the time of a trial and its budget.
    """

    def __init__(
        self, open_reader: Callable[[float], RangeReader], book: TrialBook, clock: Clock
    ) -> None:
        self._open_reader = open_reader
        self._book = book
        self._clock = clock

    def in_force(self, query: str, settings: QuerySettings) -> QuerySettings:
        """Return the settings with the detector that won, where one may be chosen."""
        trial = self._book.newest(query) if settings.contenders else None
        if trial is None or trial.champion not in (settings.detector, *settings.contenders):
            return settings
        return settings.model_copy(update={"detector": trial.champion})

    def due_in_seconds(self, query: str, settings: QuerySettings) -> float:
        """Return when the next trial is due: the first soon, but not while all is starting."""
        trial = self._book.newest(query)
        if trial is None:
            return min(settings.trial_every, FIRST_TRIAL_SECONDS)
        next_one = trial.decided_seconds + settings.trial_every
        return max(0.0, next_one - self._clock.now().timestamp())

    def hold(self, query: str, settings: QuerySettings) -> str | None:
        """Hold a trial now and return the winner; None when nothing could be decided."""
        deadline = self._clock.monotonic_seconds() + settings.trial_budget
        now = self._clock.now().timestamp()
        end = grid_end_seconds(now, settings.step, settings.late_data_delay)
        length = int(WINDOWS_READ * settings.window_samples) * settings.step
        try:
            samples = joined(
                read_blocks(
                    self._open_reader(settings.trial_budget),
                    settings.expression,
                    start_seconds=end - length,
                    end_seconds=end,
                    step_seconds=settings.step,
                )
            )
            trial = hold_trial(
                query,
                settings,
                samples,
                in_force=self.in_force(query, settings).detector,
                now_seconds=now,
                out_of_time=lambda: self._clock.monotonic_seconds() > deadline,
            )
        except (UpstreamError, OutOfTime) as error:
            log.warning("trial decided nothing", extra={"query": query, "error": str(error)})
            return None
        if trial is None:
            return None
        self._book.add(trial)
        log.info("trial decided", extra={"query": query, "champion": trial.champion})
        return trial.champion
