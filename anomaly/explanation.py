"""Why an episode may be: what moved with it, what it resembles, what was changed before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from anomaly.detectors import Floats
from anomaly.episodes import Episode
from anomaly.feedback import Feedback, Kind
from anomaly.panel import SeriesKey

LEAST_CORRELATION = 0.7
LEAST_DEVIATION = 1.0
"""A series that never left its band did not move, however well its noise correlates."""

LARGEST_SHIFT_SAMPLES = 12
LEAST_SAMPLES = 8
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Movement:
    """How one series moved lately.

    Attributes:
        deviation: signed distance from the expected value, 1 is the edge of the band.
    """

    query: str
    key: SeriesKey
    times_seconds: Floats
    deviation: Floats

    @property
    def largest(self) -> float:
        """Return the largest distance to either side, 0 when nothing is known."""
        return float(np.fmax.reduce(np.abs(self.deviation), initial=0.0))


@dataclass(frozen=True, slots=True)
class CoMovement:
    """Another series that moved along; ``later_seconds`` is negative when it moved first."""

    movement: Movement
    correlation: float
    later_seconds: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that can be said of an episode beside its numbers.

    Attributes:
        contributors: series of the same entity by their share of its deviation, in (0, 1].
        moved_along: series of the same service, the most telling first.
        nearest: the most similar episode before it.
        last_change: the newest deploy or maintenance mark before it.
        alarms_a_week: of its query, in the newest backtest.
    """

    contributors: Sequence[tuple[Movement, float]] = ()
    moved_along: Sequence[CoMovement] = ()
    nearest: Episode | None = None
    last_change: Feedback | None = None
    alarms_a_week: float | None = None


def moved_along(own: Movement, others: Iterable[Movement]) -> list[CoMovement]:
    """Return the series whose movement fits, shifted in time, the most telling first.

    Correlation is compared over shifts of up to ``LARGEST_SHIFT_SAMPLES`` in each direction, as
    Luminol does for root causes.
    """
    found = []
    for other in others:
        if (other.query, other.key) == (own.query, own.key) or other.largest < LEAST_DEVIATION:
            continue
        best = _best_shift(own, other)
        if best is not None and abs(best[0]) >= LEAST_CORRELATION:
            found.append(CoMovement(other, *best))
    found.sort(key=lambda one: -abs(one.correlation) * min(one.movement.largest, 10.0))
    return found[:SHOWN]


def _best_shift(own: Movement, other: Movement) -> tuple[float, float] | None:
    times = own.times_seconds
    known = np.isfinite(other.deviation)
    if len(times) < LEAST_SAMPLES or known.sum() < LEAST_SAMPLES:
        return None
    step = float(np.median(np.diff(times)))
    best: tuple[float, float] | None = None
    # The smallest shift first, so that of two that fit equally well the simpler one is told.
    for shift in sorted(range(-LARGEST_SHIFT_SAMPLES, LARGEST_SHIFT_SAMPLES + 1), key=abs):
        moved = np.interp(
            times + shift * step,
            other.times_seconds[known],
            other.deviation[known],
            left=np.nan,
            right=np.nan,
        )
        correlation = correlation_of(own.deviation, moved)
        if correlation is not None and (best is None or abs(correlation) > abs(best[0]) + 0.02):
            best = (correlation, shift * step)
    return best


def correlation_of(first: Floats, second: Floats) -> float | None:
    """Return Pearson's correlation where both are known; None when it means nothing."""
    known = np.isfinite(first) & np.isfinite(second)
    if known.sum() < LEAST_SAMPLES:
        return None
    one, two = first[known] - first[known].mean(), second[known] - second[known].mean()
    length = float(np.sqrt((one**2).sum() * (two**2).sum()))
    return float((one * two).sum() / length) if length > 0 else None


def contributors(members: Sequence[Movement]) -> list[tuple[Movement, float]]:
    """Return the members of an entity by their share of its squared deviation, largest first."""
    energies = [(member, member.largest**2) for member in members]
    total = sum(energy for _, energy in energies)
    if total == 0 or len(members) < 2:
        return []
    shares = [(member, energy / total) for member, energy in energies if energy > 0]
    return sorted(shares, key=lambda one: -one[1])[:SHOWN]


def nearest(episode: Episode, before: Iterable[Episode]) -> Episode | None:
    """Return the earlier episode most like this one: of the series, else of the query."""
    earlier = [
        one
        for one in before
        if one.id != episode.id
        and one.query == episode.query
        and one.started_seconds < episode.started_seconds
    ]
    return min(earlier, key=lambda one: _unlike(episode, one), default=None)


def _unlike(episode: Episode, other: Episode) -> tuple[bool, bool, float]:
    reach, others = (max(one.above, one.below, 1e-12) for one in (episode, other))
    other_side = (episode.above >= episode.below) != (other.above >= other.below)
    return (other.key != episode.key, other_side, abs(float(np.log(reach / others))))


def last_change(episode: Episode, said: Iterable[Feedback]) -> Feedback | None:
    """Return the newest deploy or maintenance of the series that began before it fired."""
    until = episode.fired_seconds or episode.started_seconds
    marks = [
        word
        for word in said
        if word.kind in (Kind.DEPLOY, Kind.MAINTENANCE)
        and word.holds
        and word.starts_seconds <= until
        and word.concerns(episode.query, episode.key)
    ]
    return max(marks, key=lambda one: one.starts_seconds, default=None)
