"""One query: its panel, its chain and its episodes, advanced sample by sample.

Nothing here asks a clock or a server: the same samples in the same order give the same verdicts,
live, after a restart or in a backtest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from anomaly import habits
from anomaly.chain import Chain, Verdict
from anomaly.corrections import Corrections
from anomaly.detectors import Flags, Floats, Moment, Past, Slots
from anomaly.episodes import Ending, Episode, Episodes, series_id
from anomaly.explanation import Movement
from anomaly.feedback import Feedback, judged_by_people
from anomaly.habits import is_habit
from anomaly.models import Model
from anomaly.panel import Block, Panel, SeriesKey
from anomaly.quiet_times import QuietTimes
from anomaly.season import season_of
from anomaly.seasons import Profile, Seasons
from anomaly.settings import PublishSettings, QuerySettings
from anomaly.slots import Rows, resized
from anomaly.source import grid_end_seconds
from anomaly.trail import Trail
from anomaly.turns import Turns
from anomaly.view import STATES, Latest, Overview, SeriesView, State, states_of

BEGINNING_OF_TIME = float("-inf")


class QueryEvaluation:
    """Judges and learns the series of one query.

    Args:
        name: of the query.
        settings: its policy.
        episodes: those remembered from before a restart.
        said: what people said of its series and holds.
        live_after_seconds: samples up to this Unix time are history: they are learned, outside the
            remembered episodes, but begin no new one.
        judged_before: the same for a single series, where some have been judged further than
            others; never before ``live_after_seconds``.
        seasons: what was known of seasons longer than the history.
    """

    def __init__(
        self,
        name: str,
        settings: QuerySettings,
        *,
        episodes: Iterable[Episode] = (),
        said: Iterable[Feedback] = (),
        live_after_seconds: float = BEGINNING_OF_TIME,
        judged_before: Callable[[SeriesKey], float] | None = None,
        seasons: Sequence[Seasons] = (),
    ) -> None:
        self.name = name
        self.settings = settings
        self.dropped_series = 0
        self.live_after_seconds = live_after_seconds
        self._judged_before = judged_before or (lambda _key: live_after_seconds)
        self._judged_until = np.empty(0)
        self._seasons = seasons
        self._chain = Chain(settings)
        self._panel = Panel(settings.window_samples, settings.maximum_series)
        self._episodes = Episodes(episodes)
        self._corrections = Corrections(name, said)
        self._quiet_times = QuietTimes(settings.calendar, settings.timezone)
        self._latest = Latest((settings.detector, *settings.challengers))
        self._trail = Trail(settings.step, self._panel)
        # A sample may turn out to be the first of an episode until it leaves the M-of-N window.
        self._unsettled: deque[dict[str, npt.NDArray[np.float32]]] = deque()
        self._settled_until_seconds: float | None = None
        self._settle_after_samples = settings.persistence.of
        self._changed: dict[str, Episode] = {}
        self._to_continue = {one.key: one for one in self._episodes.open()}
        self._lock = Turns()

    @property
    def series_in(self) -> Mapping[int, SeriesKey]:
        """Return the series of each row of a verdict."""
        return self._panel.series_in

    @property
    def generation(self) -> int:
        """Return a number that changes whenever ``series_in`` does."""
        return self._panel.generation

    @property
    def judged_until_seconds(self) -> float | None:
        """Return the Unix time of the newest sample judged."""
        return self._panel.last_time_seconds

    def next_read(self, now_seconds: float) -> tuple[float, float] | None:
        """Return the first and last Unix time to read now; None when nothing new can be there."""
        settings = self.settings
        end = grid_end_seconds(now_seconds, settings.step, settings.late_data_delay)
        last = self._panel.last_time_seconds
        oldest = end - (self.settings.window_samples - 1) * settings.step
        start = oldest if last is None else max(last + settings.step, oldest)
        return (start, end) if start <= end else None

    def advance(
        self, block: Block, *, told: Callable[[Verdict], None] = lambda _verdict: None
    ) -> None:
        """Judge, then learn, every sample of a block that is newer than the last one judged.

        Between two samples whoever asks for views is answered: a history takes seconds.

        Args:
            told: called with each verdict, for those who keep all of them, such as a backtest.
        """
        slots = self._panel.known(block.keys)
        last = self._panel.last_time_seconds
        known = np.isfinite(block.values)
        for column, at_seconds in enumerate(block.times_seconds):
            if last is not None and at_seconds <= last:
                continue
            with self._lock:
                taken = known[:, column]
                self.dropped_series = 0
                if (slots < 0).any():
                    taken = self._take_in(block.keys, slots, taken, at_seconds)
                values = np.full(self._panel.slots, np.nan)
                values[slots[taken]] = block.values[taken, column]
                told(self._advance_one(at_seconds, self._chain.admissible(values)))
                if self._leave_behind(at_seconds):
                    slots = self._panel.known(block.keys)

    def _take_in(
        self, keys: Sequence[SeriesKey], slots: Slots, present: Flags, at_seconds: float
    ) -> Flags:
        """Give new series slots as far as there is room; return which samples to judge."""
        if (present & (slots < 0)).any():
            self._admit(keys, slots, present, at_seconds)
        taken = present & (slots >= 0)
        self.dropped_series = int((present & ~taken).sum())
        return taken

    def _admit(
        self, keys: Sequence[SeriesKey], slots: Slots, present: Flags, at_seconds: float
    ) -> None:
        """Give series that appear now a slot each, as far as there is room."""
        new = np.flatnonzero(present & (slots < 0)).tolist()
        given, _ = self._panel.admit([keys[row] for row in new])
        slots[new] = given
        self._resize()
        self._panel.last_seen_seconds[given[given >= 0]] = at_seconds
        for row, slot in zip(new, given.tolist(), strict=True):
            if slot >= 0:
                self._chain.place(keys[row], slot)
                self._recall(keys[row], slot)
                self._corrections.place(keys[row], slot)
                self._judged_until[slot] = self._judged_before(keys[row])

    def _recall(self, key: SeriesKey, slot: int) -> None:
        for seasons in self._seasons:
            profile = seasons.profiles.get(key)
            if profile is not None:
                self._chain.recall(slot, profile, seasons.until_seconds)

    def seasons(self, of: Callable[[SeriesKey], bool] = lambda _key: True) -> Seasons | None:
        """Return what is known of seasons longer than the history; None when there is nothing.

        Args:
            of: which series.
        """
        season = season_of(self.settings.season, self.settings.timezone)
        with self._lock:
            until = self._settled_until_seconds
            if until is None or season.period_seconds <= self.settings.history:
                return None
            found = {key: slot for key, slot in self._panel.keys.items() if of(key)}
            rows = self._chain.profiles(np.fromiter(found.values(), np.intp, len(found)))
            if rows is None or not found:
                return None
            profiles = {
                key: Profile(distance, samples)
                for key, distance, samples in zip(found, *rows, strict=True)
            }
            return Seasons(season, until, profiles)

    def models(self) -> dict[str, Model]:
        """Return by detector the trained models in force."""
        with self._lock:
            return self._chain.models()

    def take_up(self, detector: str, model: Model) -> None:
        """Judge with a model that was trained before; raise UnreadableModelError if it is none."""
        with self._lock:
            self._chain.take_up(detector, model)

    def _resize(self) -> None:
        for part in self._parts():
            part.resize(self._panel.slots)
        self._judged_until = resized(self._judged_until, self._panel.slots, -np.inf)

    def _parts(self) -> tuple[Rows, ...]:
        return (self._chain, self._latest, self._trail, self._corrections)

    def _advance_one(self, at_seconds: float, values: Floats) -> Verdict:
        self._continue_episodes(at_seconds)
        maintained = self._corrections.quiet(at_seconds)
        if self._quiet_times.cover(at_seconds):
            maintained[:] = True
        moment = Moment(at_seconds, values, self._panel.recent(self.settings.window_samples))
        quiet = maintained | (at_seconds <= self._judged_until)
        tolerance = self._corrections.tolerance()
        verdict = self._chain.judge(moment, tolerance=tolerance, quiet=quiet)
        self._note_episodes(verdict)
        self._end_maintained(at_seconds, maintained)
        self._note_peaks(verdict)
        self._note_habits(at_seconds)
        self._panel.append(at_seconds, values)
        self._latest.update(verdict)
        self._trail.append(verdict, verdict.scores[self.settings.detector])
        self._unsettled.append({n: e.astype(np.float32) for n, e in verdict.evidence.items()})
        if len(self._unsettled) > self._settle_after_samples:
            self._settle(self._unsettled.popleft())
        return verdict

    def _continue_episodes(self, at_seconds: float) -> None:
        if at_seconds <= self.live_after_seconds:
            return
        for key in list(self._to_continue):
            slot = self._panel.keys.get(key)
            if slot is not None:
                self._chain.continue_episode(slot, at_seconds)
                del self._to_continue[key]

    def _note_episodes(self, verdict: Verdict) -> None:
        turn = verdict.turn
        for slot in (turn.began | turn.ended).nonzero()[0].tolist():
            key = self._panel.series_in[slot]
            if turn.began[slot]:
                started = float(turn.onset_seconds[slot])
                episode = Episode(self.name, key, started, fired_seconds=verdict.at_seconds)
                self._episodes.begin(episode)
                self._changed[episode.id] = episode
            if turn.ended[slot]:
                self._end(key, verdict.at_seconds, Ending.RECOVERED)

    def _end_maintained(self, at_seconds: float, maintained: Flags) -> None:
        if not np.count_nonzero(maintained) or at_seconds <= self.live_after_seconds:
            return
        for episode in self._episodes.open():
            slot = self._panel.keys.get(episode.key)
            if slot is not None and maintained[slot]:
                self._end(episode.key, at_seconds, Ending.MAINTENANCE)
                self._chain.end_episodes(np.array([slot]))

    def _note_peaks(self, verdict: Verdict) -> None:
        scores = verdict.scores[self.settings.detector]
        for episode in self._episodes.open():
            slot = self._panel.keys.get(episode.key)
            if slot is not None and episode.covers(verdict.at_seconds):
                distance = float(verdict.actual[slot] - verdict.expected[slot])
                self._episodes.reach(episode.key, float(scores[slot]), distance)

    def _note_habits(self, at_seconds: float) -> None:
        """Find out, of what is under way, what is only what comes at this time anyway."""
        for episode in self._episodes.open():
            before = self._episodes.before(episode)
            habitual = is_habit(
                episode, before, now_seconds=at_seconds, timezone=self._quiet_times.timezone
            )
            if habitual != episode.habitual:
                changed = replace(episode, habitual=habitual)
                if not habitual:
                    changed = replace(changed, fired_seconds=at_seconds)
                self._episodes.replace(changed)
                self._changed[changed.id] = changed

    def _end(self, key: SeriesKey, at_seconds: float, ending: Ending) -> None:
        episode = self._episodes.end(key, at_seconds, ending)
        if episode is not None:
            self._changed[episode.id] = episode

    def _settle(self, evidence: Mapping[str, npt.NDArray[np.float32]]) -> None:
        samples_ago = self._settle_after_samples
        at_seconds = self._panel.time_seconds(samples_ago)
        in_episode: Flags = self._episodes.covering(at_seconds, self._panel.keys, self._panel.slots)
        untaught = in_episode | self._corrections.untaught(at_seconds)
        if self._quiet_times.cover(at_seconds):
            untaught[:] = True
        self._panel.exclude(samples_ago, untaught)
        newest = self._panel.sample(samples_ago)
        newest[untaught] = np.nan
        self._settled_until_seconds = at_seconds
        past = Past(at_seconds, newest, partial(self._panel.learnable, samples_ago))
        self._chain.settle(past, _padded(evidence, self._panel.slots), ~untaught)

    def _leave_behind(self, now: float) -> bool:
        """End the episodes of absent series, and drop series not seen for a whole window.

        Returns:
            Whether a series was dropped.
        """
        self._end_absent(now)
        self._episodes.forget_before(now - remembered_seconds(self.settings))
        return self._forget_unseen(now)

    def _end_absent(self, now: float) -> None:
        absent_before = now - self.settings.absent_seconds
        seen = self._panel.last_seen_seconds
        for episode in self._episodes.open():
            slot = self._panel.keys.get(episode.key)
            last_seen = episode.started_seconds if slot is None else seen[slot]
            if last_seen < absent_before and now > self.live_after_seconds:
                self._end(episode.key, now, Ending.ABSENT)
                self._to_continue.pop(episode.key, None)
                if slot is not None:
                    self._chain.end_episodes(np.array([slot]))

    def _forget_unseen(self, now: float) -> bool:
        gone = self._panel.unseen_since(now - self.settings.history)
        if not gone:
            return False
        slots = self._panel.forget(gone)
        for part in self._parts():
            part.forget(slots)
        for evidence in self._unsettled:
            for rows in evidence.values():
                rows[slots[slots < len(rows)]] = np.nan
        return True

    def corrected(self, said: Sequence[Feedback]) -> QueryEvaluation:
        """Return an evaluation of the same samples as if what people said had been known before.

        It is what a restart would make, from the samples in memory.

        Args:
            said: all that was ever said of the query, also what was undone, oldest first.
        """
        with self._lock:
            before = self._episodes.every()
            judged = judged_by_people(before, said)
            last = self._panel.last_time_seconds
            corrected = QueryEvaluation(
                self.name,
                self.settings,
                episodes=judged,
                said=[word for word in said if word.holds],
                live_after_seconds=self.live_after_seconds if last is None else last,
                seasons=[known for known in [self.seasons()] if known],
            )
            changed = {b.id: a for a, b in zip(judged, before, strict=True) if a != b}
            corrected._changed = self._changed | changed  # another of our own kind
            if last is not None:
                corrected.advance(self._panel.block())
            return corrected

    def close(self, at_seconds: float) -> None:
        """End every episode: the query is no longer configured."""
        with self._lock:
            for episode in self._episodes.open():
                self._end(episode.key, at_seconds, Ending.QUERY_REMOVED)

    def changed_episodes(self) -> list[Episode]:
        """Return the episodes that changed since they were last kept."""
        with self._lock:
            return list(self._changed.values())

    def kept(self, episodes: Iterable[Episode]) -> None:
        """Note that these are on disk in the state given."""
        with self._lock:
            for episode in episodes:
                if self._changed.get(episode.id) == episode:
                    del self._changed[episode.id]

    def episodes(self) -> list[Episode]:
        """Return all episodes that are remembered, under way or over."""
        with self._lock:
            return self._episodes.every()

    def views(self, now_seconds: float) -> list[SeriesView]:
        """Return every series as it is now."""
        with self._lock:
            slots = np.fromiter(self._panel.keys.values(), np.intp, len(self._panel.keys))
            return self._views(slots, now_seconds)

    def view_of(self, key: SeriesKey, now_seconds: float) -> SeriesView | None:
        """Return one series as it is now; None when there is none."""
        with self._lock:
            slot = self._panel.keys.get(key)
            return None if slot is None else self._views(np.array([slot]), now_seconds)[0]

    def overview(self, now_seconds: float, publish: PublishSettings) -> Overview:
        """Return all series at a glance, and those to be shown one by one."""
        with self._lock:
            slots = np.fromiter(self._panel.series_in, np.intp, len(self._panel.keys))
            states = self._states(slots, now_seconds)
            ready = states == STATES.index(State.READY)
            scores = self._latest.scores_of(self.settings.detector)[slots]
            anomalous = ready & (scores > 1)
            counts = np.bincount(states, minlength=len(STATES))
            rank = np.where(ready, scores, np.nan)
            if self.settings.tell_absence:
                rank[states == STATES.index(State.ABSENT)] = np.inf
            shown = slots[self._notable(slots, rank, publish)]
            return Overview(
                states={state: int(counts[at]) for at, state in enumerate(STATES)},
                anomalous=int(anomalous.sum()),
                rates=self._chain.rates(slots[ready], slots[anomalous]),
                notable=self._views(shown, now_seconds),
            )

    def _notable(self, slots: Slots, scores: Floats, publish: PublishSettings) -> Slots:
        """Return the places in ``slots`` of the series to be shown."""
        if len(slots) <= publish.all_up_to:
            return np.arange(len(slots))
        alerting = {self._panel.keys.get(one.key, -1) for one in self._episodes.open()}
        rank = np.where(np.isin(slots, list(alerting)), np.inf, np.nan_to_num(scores, nan=-1.0))
        best = np.argsort(-rank, kind="stable")[: publish.all_up_to]
        return best[rank[best] >= publish.floor]

    def _states(self, slots: Slots, now_seconds: float) -> Slots:
        last = self._panel.last_time_seconds or now_seconds
        return states_of(
            now_seconds - self._panel.last_seen_seconds[slots],
            self.settings,
            has_score=np.isfinite(self._latest.scores_of(self.settings.detector)[slots]),
            source_age_seconds=now_seconds - last,
        )

    def _views(self, slots: Slots, now_seconds: float) -> list[SeriesView]:
        states = self._states(slots, now_seconds).tolist()
        return [
            self._view(slot, STATES[state])
            for slot, state in zip(slots.tolist(), states, strict=True)
        ]

    def _view(self, slot: int, state: State) -> SeriesView:
        key = self._panel.series_in[slot]
        scores = self._latest.scores(slot)
        return SeriesView(
            query=self.name,
            key=key,
            state=state,
            detector=self.settings.detector,
            scores=scores if state is State.READY else {},
            episode=self._episodes.of(key),
            **self._latest.numbers(slot),
        )

    def movements(self, since_seconds: float, of: Callable[[SeriesKey], bool]) -> list[Movement]:
        """Return how the series that ``of`` names moved since that time, as far as is shown."""
        with self._lock:
            found = []
            for key, slot in self._panel.keys.items():
                if of(key):
                    times, deviation = self._trail.deviation(slot, since_seconds)
                    found.append(Movement(self.name, key, times, deviation))
            return found

    def points(self, identity: str, since_seconds: float) -> dict[str, list[float | None]] | None:
        """Return the recent past of the series of that id; None when it is not one of ours."""
        with self._lock:
            for key, slot in self._panel.keys.items():
                if series_id(self.name, key) == identity:
                    return self._trail.points(slot, since_seconds)
        return None


def remembered_seconds(settings: QuerySettings) -> float:
    """Return how long after its end an episode of a query still matters."""
    return max(settings.history, habits.REMEMBERED_SECONDS)


def _padded(evidence: Mapping[str, npt.NDArray[np.float32]], slots: int) -> dict[str, Floats]:
    """Return evidence with NaN for series that came after they were computed."""
    return {
        name: resized(rows.astype(np.float64), slots, np.nan) for name, rows in evidence.items()
    }
