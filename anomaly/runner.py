"""One scheduled evaluation of a query: read what is new, judge it, keep what changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from anomaly.chain import Verdict
from anomaly.evaluation import QueryEvaluation, remembered_seconds
from anomaly.feedback import judged_by_people
from anomaly.ledger import Ledger
from anomaly.models import Model, UnreadableModelError
from anomaly.panel import Block, SeriesKey
from anomaly.season import season_of
from anomaly.seasons import Seasons
from anomaly.settings import PublishSettings, QuerySettings
from anomaly.sharding import Held, shard_of
from anomaly.source import RangeReader, grid_end_seconds, read_blocks
from anomaly.view import Overview, SeriesView
from watchkeeper.clock import Clock
from watchkeeper.errors import WatchkeeperError
from watchkeeper.logs import get_logger

log = get_logger(__name__)

KEEP_SEASONS_EVERY_SECONDS = 1_800.0
"""What is known of longer seasons is written this often; samples since then teach it again."""

KEEP_JUDGED_EVERY_SECONDS = 60.0
"""How far a query was judged is written at least this often; a restart replays at most as much."""


def ignore_verdict(_verdict: Verdict, _evaluation: QueryEvaluation) -> None:
    """Keep nothing of a verdict."""


def owned(block: Block, held: Held) -> Block:
    """Return the series of a block that are to be judged here."""
    if len(held.numbers) == held.shards:
        return block
    rows = [row for row, key in enumerate(block.keys) if held.owns(key)]
    keys = tuple(block.keys[row] for row in rows)
    return Block(keys, block.times_seconds, block.values[rows])


AHEAD_STEPS = 3
"""Judged so far ahead of now, a query was judged by a clock that has been set back since."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last evaluation of a query went; ``error`` is None when it went well."""

    at: datetime
    seconds: float
    reason: str
    error: str | None


class QueryRunner:
    """Carries a query's evaluation along.

    Args:
        name, settings: the query.
        reader: answers range queries, each within a deadline of its own.
        ledger: what survives a restart.
        clock: for the time of a read.
        episodes_changed: called after an evaluation in which an episode began or ended.
        held: the shards of its series that are to be judged here.
        told: called with every verdict and the evaluation it came from.
    """

    def __init__(
        self,
        name: str,
        settings: QuerySettings,
        *,
        reader: RangeReader,
        ledger: Ledger,
        clock: Clock,
        episodes_changed: Callable[[], None] = lambda: None,
        held: Held = Held(),  # noqa: B008  # immutable
        told: Callable[[Verdict, QueryEvaluation], None] = ignore_verdict,
    ) -> None:
        self.name = name
        self.settings = settings
        self.outcome: Outcome | None = None
        self.dropped_series_total = 0
        self._reader = reader
        self._ledger = ledger
        self._clock = clock
        self._episodes_changed = episodes_changed
        self._told = told
        self.held = self._wanted = held
        self._kept_at_seconds = self._seasons_kept_at_seconds = float("-inf")
        self._ended_at_seconds = clock.monotonic_seconds()
        self._running = threading.Lock()
        self.evaluation = self._warm_evaluation()

    def _warm_evaluation(self) -> QueryEvaluation:
        settings = self.settings
        now = self._clock.now().timestamp()
        # A first start: the whole history is learned, and nothing in it is alerted on.
        first_start = grid_end_seconds(now, settings.step, settings.late_data_delay)
        known = self._ledger.judged_until_seconds(self.name)
        held, shards = self.held, self.held.shards
        # Nothing after now has been judged, whatever a clock that was set back made of it.
        judged_until = {
            shard: min(known.get(shard, first_start), first_start) for shard in held.numbers
        }
        self._said = self._ledger.feedback.of(self.name)
        kept = self._ledger.episodes(self.name, since_seconds=now - remembered_seconds(settings))
        episodes = [episode for episode in kept if held.owns(episode.key)]
        evaluation = QueryEvaluation(
            self.name,
            settings,
            episodes=judged_by_people(episodes, self._said),
            said=[word for word in self._said if word.holds],
            live_after_seconds=min(judged_until.values(), default=first_start),
            judged_before=lambda key: judged_until[shard_of(key, shards)],
            seasons=self._ledger.seasons.of(
                self.name, season_of(settings.season, settings.timezone), held.numbers
            ),
        )
        self._take_up_models(evaluation, first_start)
        return evaluation

    def _take_up_models(self, evaluation: QueryEvaluation, newest_seconds: float) -> None:
        for detector, kept in self._ledger.models.of(self.name, self.settings).items():
            until = min(kept.until_seconds, newest_seconds)  # as above: nothing is after now
            try:
                evaluation.take_up(detector, replace(kept, until_seconds=until))
            except UnreadableModelError as error:
                extra = {"query": self.name, "detector": detector, "error": str(error)}
                log.warning("a kept model cannot be read and is trained anew", extra=extra)
        self._kept_models: dict[str, Model] = evaluation.models()

    def hold(self, held: Held) -> None:
        """Judge the series of these shards from the next evaluation on, each from where it was."""
        self._wanted = held

    def _take_held(self) -> None:
        if self._wanted != self.held or self._is_ahead():
            self.held = self._wanted
            self.evaluation = self._warm_evaluation()

    def _is_ahead(self) -> bool:
        judged_until = self.evaluation.judged_until_seconds
        if judged_until is None:
            return False
        ahead_seconds = judged_until - self._clock.now().timestamp()
        return ahead_seconds > AHEAD_STEPS * self.settings.step

    @property
    def seconds_since_run(self) -> float:
        """Return how long ago an evaluation ended, by a clock that nobody sets."""
        return self._clock.monotonic_seconds() - self._ended_at_seconds

    def run(self) -> Outcome:
        """Evaluate once; a server that gives no usable answer is an outcome, not an exception."""
        with self._running:
            started = self._clock.monotonic_seconds()
            try:
                self._advance()
                reason, error = "ok", None
            except WatchkeeperError as problem:
                reason, error = str(problem.reason), str(problem)
            seconds = self._clock.monotonic_seconds() - started
            return self._note(Outcome(self._clock.now(), seconds, reason, error))

    def failed(self, error: BaseException) -> None:
        """Note that ``run`` itself failed; its scheduler is the boundary that caught it."""
        text = f"{type(error).__name__}: {error}"
        self._note(Outcome(self._clock.now(), 0.0, "unexpected", text))

    def _note(self, outcome: Outcome) -> Outcome:
        before = self.outcome.reason if self.outcome else "ok"
        if outcome.reason != before:
            tell = log.info if outcome.error is None else log.warning
            tell(
                "query answers again" if outcome.error is None else "query cannot be evaluated",
                extra={"query": self.name, "reason": outcome.reason, "error": outcome.error},
            )
        self.outcome = outcome
        self._ended_at_seconds = self._clock.monotonic_seconds()
        return outcome

    def _listen(self) -> None:
        """Take into account what people said since the last evaluation."""
        said = self._ledger.feedback.of(self.name)
        if said != self._said:
            self.evaluation = self.evaluation.corrected(said)
            self._said = said

    def _advance(self) -> None:
        self._take_held()
        if not self.held.numbers:
            return
        self._listen()
        span = self.evaluation.next_read(self._clock.now().timestamp())
        if span is not None:
            for block in read_blocks(
                self._reader,
                self.settings.expression,
                start_seconds=span[0],
                end_seconds=span[1],
                step_seconds=self.settings.step,
                progress=self._tell_progress,
            ):
                self.evaluation.advance(owned(block, self.held), told=self._tell)
                self.dropped_series_total += self.evaluation.dropped_series
        self._keep()

    def _tell(self, verdict: Verdict) -> None:
        self._told(verdict, self.evaluation)

    def _tell_progress(self, ratio: float) -> None:
        if ratio < 1:
            log.info("reading history", extra={"query": self.name, "done_ratio": round(ratio, 2)})

    def _keep(self) -> None:
        # What was lost while it was being judged is another's to keep.
        still = Held(self.held.shards, self.held.numbers & self._wanted.numbers)
        changed = [one for one in self.evaluation.changed_episodes() if still.owns(one.key)]
        judged_until = self.evaluation.judged_until_seconds
        now = self._clock.monotonic_seconds()
        due = now - self._kept_at_seconds >= KEEP_JUDGED_EVERY_SECONDS
        if judged_until is None or not (changed or due):
            return
        self._ledger.save(self.name, changed, judged_until, shards=still.numbers)
        self._kept_at_seconds = now
        self.evaluation.kept(changed)
        if now - self._seasons_kept_at_seconds >= KEEP_SEASONS_EVERY_SECONDS:
            self._keep_seasons(still)
            self._seasons_kept_at_seconds = now
        self._keep_models()
        if changed:
            self._episodes_changed()

    def _keep_models(self) -> None:
        models = self.evaluation.models()
        changed = {name: one for name, one in models.items() if self._kept_models.get(name) != one}
        self._ledger.models.save(self.name, self.settings, changed)
        self._kept_models = models

    def _keep_seasons(self, held: Held) -> None:
        def of(shard: int) -> Seasons | None:
            return self.evaluation.seasons(lambda key: shard_of(key, held.shards) == shard)

        found = {shard: of(shard) for shard in held.numbers}
        self._ledger.seasons.save(
            self.name, {shard: known for shard, known in found.items() if known}
        )

    def close(self) -> None:
        """End the query's episodes: it is no longer configured."""
        self.evaluation.close(self._clock.now().timestamp())
        self._keep()

    def overview(self, publish: PublishSettings) -> Overview:
        """Return all series at a glance, and those to be shown one by one."""
        return self.evaluation.overview(self._clock.now().timestamp(), publish)

    def view_of(self, key: SeriesKey) -> SeriesView | None:
        """Return one series as it is now; None when there is none."""
        return self.evaluation.view_of(key, self._clock.now().timestamp())

    def views(self) -> list[SeriesView]:
        """Return every series of the query as it is now."""
        return self.evaluation.views(self._clock.now().timestamp())
