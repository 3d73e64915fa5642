"""Which detector a query should have: tried on its own history, with faults put into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anomaly.backtest.events import Event
from anomaly.backtest.injection import inject
from anomaly.backtest.measures import measure
from anomaly.backtest.replay import Replay, replay
from anomaly.detectors import Floats
from anomaly.panel import Block
from anomaly.settings import QuerySettings

MAXIMUM_SERIES = 20
"""Of a query: evenly spread over all of them, so that a trial costs the same however many."""

FAULTS_A_SERIES = 3
HISTORY_SHARE = 0.4
"""Of the samples is learned before anything is judged."""

LEAST_GAIN = 0.02
"""Another detector takes over when its average precision is higher by this: no flapping."""

ALARMS_ALLOWED = 1.0
"""False alarms a series-week that a detector may have however few the one in force has."""


class OutOfTime(Exception):  # noqa: N818  # it names what happened
    """A trial took longer than it may; nothing is decided."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How one detector did.

    Attributes:
        average_precision: of its scores on the faults, in [0, 1]; needs no threshold.
        recall: share of the faults of which it alerted.
        false_alarms: a series-week.
        alarms_a_week: of the whole query's history as it is, without the faults it found.
    """

    detector: str
    average_precision: float
    recall: float
    false_alarms: float
    alarms_a_week: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What was tried, and which detector is in force from now on."""

    query: str
    decided_seconds: float
    champion: str
    entries: tuple[Entry, ...]

    def entry_of(self, detector: str) -> Entry | None:
        """Return how a detector did, None when it was not tried."""
        return next((one for one in self.entries if one.detector == detector), None)


def hold_trial(
    query: str,
    settings: QuerySettings,
    samples: Block,
    *,
    in_force: str,
    now_seconds: float,
    out_of_time: Callable[[], bool] = lambda: False,
) -> Trial | None:
    """Try the detector in force and every contender on the same samples and faults.

    Args:
        in_force: keeps its place unless another is clearly better.
        now_seconds: the time of the decision; also the seed of the faults.
        out_of_time: asked while it runs.

    Returns:
        The trial; None when there is too little history to put faults in.

    Raises:
        OutOfTime: ``out_of_time`` said so.
    """
    chosen = some_series(samples)
    if not chosen.keys:
        return None
    begin = chosen.times_seconds[int(HISTORY_SHARE * (len(chosen.times_seconds) - 1))]
    shaken, faults = inject(
        chosen,
        settings,
        query=query,
        from_seconds=begin,
        a_series=FAULTS_A_SERIES,
        seed=int(now_seconds),
    )
    if not faults:
        return None

    def watch(_ratio: float) -> None:
        if out_of_time():
            raise OutOfTime(query)

    entries = []
    for detector in dict.fromkeys((in_force, settings.detector, *settings.contenders)):
        tried = settings.model_copy(update={"detector": detector, "challengers": ()})
        said = replay(query, tried, shaken, from_seconds=begin, progress=watch)
        entries.append(entry_of(detector, said, faults))
    return Trial(query, now_seconds, winner(entries, in_force), tuple(entries))


def some_series(samples: Block) -> Block:
    """Return at most ``MAXIMUM_SERIES`` of the series, evenly spread."""
    count = len(samples.keys)
    rows = np.unique(np.linspace(0, count - 1, min(count, MAXIMUM_SERIES)).astype(np.intp))
    keys = tuple(samples.keys[row] for row in rows.tolist())
    return Block(keys, samples.times_seconds, samples.values[rows])


def entry_of(detector: str, said: Replay, faults: Sequence[Event]) -> Entry:
    """Return how a detector did on the faults."""
    scores, truth = [], []
    for key, track in said.tracks.items():
        inside = np.zeros(len(track.times_seconds), dtype=np.bool_)
        for fault in faults:
            if fault.concerns(said.query, key):
                inside |= (track.times_seconds >= fault.starts_seconds) & (
                    track.times_seconds <= fault.ends_seconds
                )
        known = np.isfinite(track.score)
        scores.append(track.score[known])
        truth.append(inside[known])
    found = measure(said, faults)
    false = found.alarms - found.true_alarms
    return Entry(
        detector,
        average_precision(np.concatenate(scores), np.concatenate(truth)) if scores else 0.0,
        found.recall or 0.0,
        found.false_alarms_a_series_week or 0.0,
        false / found.weeks if found.weeks else 0.0,
    )


def average_precision(scores: Floats, truth: npt.NDArray[np.bool_]) -> float:
    """Return the mean precision over the true samples, ranked by score; 0 when none is true."""
    if not truth.any():
        return 0.0
    ranked = truth[np.argsort(-scores, kind="stable")]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return float(precision[ranked].mean())


def winner(entries: Sequence[Entry], in_force: str) -> str:
    """Return the detector that is to be in force."""
    now = next(one for one in entries if one.detector == in_force)
    quiet = [one for one in entries if one.false_alarms <= max(ALARMS_ALLOWED, now.false_alarms)]
    best = max(quiet, key=lambda one: one.average_precision)
    gain = best.average_precision - now.average_precision
    return best.detector if gain >= LEAST_GAIN else in_force
