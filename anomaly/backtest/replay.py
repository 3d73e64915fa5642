"""One query over one stretch of history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

from anomaly.backtest.recording import Recording, Track
from anomaly.chain import Verdict
from anomaly.episodes import Episode
from anomaly.evaluation import QueryEvaluation
from anomaly.panel import Block, SeriesKey
from anomaly.settings import QuerySettings

PIECE_SAMPLES = 200
"""So many samples are judged between two tellings of progress."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What a query would have said between two times.

    Attributes:
        alarms: the episodes that began there, oldest first.
    """

    query: str
    settings: QuerySettings
    from_seconds: float
    until_seconds: float
    tracks: dict[SeriesKey, Track]
    alarms: list[Episode]

    @property
    def weeks(self) -> float:
        """Return the length of the stretch in weeks."""
        return (self.until_seconds - self.from_seconds) / (7 * 86_400.0)


def replay(
    name: str,
    settings: QuerySettings,
    samples: Block,
    *,
    from_seconds: float,
    progress: Callable[[float], None] = lambda _ratio: None,
) -> Replay:
    """Judge samples in order, as the service does: each before it is learned, none twice.

    Args:
        samples: what comes before ``from_seconds`` is history, as at a first start of the service.
        progress: told the share that is done, in (0, 1].
    """
    history = [at for at in samples.times_seconds if at < from_seconds]
    evaluation = QueryEvaluation(name, settings, live_after_seconds=max(history, default=-inf))
    recording = Recording(from_seconds)
    episodes: dict[str, Episode] = {}

    def told(verdict: Verdict) -> None:
        recording.keep(verdict, evaluation)

    total = len(samples.times_seconds)
    for first in range(0, total, PIECE_SAMPLES):
        piece = slice(first, first + PIECE_SAMPLES)
        times = samples.times_seconds[piece]
        evaluation.advance(Block(samples.keys, times, samples.values[:, piece]), told=told)
        episodes |= {one.id: one for one in evaluation.changed_episodes()}
        evaluation.kept(list(episodes.values()))
        progress(min(total, first + PIECE_SAMPLES) / total)
    return Replay(
        name,
        settings,
        from_seconds,
        _last(samples.times_seconds, from_seconds),
        recording.tracks(),
        sorted(told_of(episodes), key=lambda one: (one.started_seconds, one.key)),
    )


def told_of(episodes: dict[str, Episode]) -> list[Episode]:
    """Return those of which people would have been told."""
    return [one for one in episodes.values() if not one.habitual]


def _last(times_seconds: Sequence[float], otherwise: float) -> float:
    return times_seconds[-1] if len(times_seconds) else otherwise
