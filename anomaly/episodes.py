"""Episodes: stretches in which a series was anomalous. They are shown, alerted on, not learned."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from anomaly.detectors import Flags
from anomaly.panel import SeriesKey


class Ending(StrEnum):
    """Why an episode is over."""

    RECOVERED = "recovered"
    ABSENT = "absent"
    QUERY_REMOVED = "query-removed"
    ACCEPTED = "accepted"
    NOT_A_PROBLEM = "not-a-problem"
    MAINTENANCE = "maintenance"


NORMAL_AFTER_ALL = (Ending.ACCEPTED,)
"""Episodes that a person called the new normal: their samples are learned like any others. One
that was merely no problem still teaches nothing, or the next real one would go unseen."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One stretch of one series; ``ended_seconds`` is None while it is under way.

    Attributes:
        habitual: whether it went no further than at the same time the days before, so that it is
            told to nobody.
        fired_seconds: when there was evidence enough to alert; None when that is not known.
        peak_score: the highest so far.
        below, above: the furthest from the expected value so far, each side, in the series' unit.
    """

    query: str
    key: SeriesKey
    started_seconds: float
    ended_seconds: float | None = None
    ending: Ending | None = None
    habitual: bool = False
    fired_seconds: float | None = field(default=None, compare=False)
    peak_score: float = field(default=0.0, compare=False)
    below: float = field(default=0.0, compare=False)
    above: float = field(default=0.0, compare=False)

    @property
    def id(self) -> str:
        """Return its identity: the same samples give the same one, here or in a backtest."""
        text = f"{series_id(self.query, self.key)}@{self.started_seconds:.3f}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def is_open(self) -> bool:
        """Return whether it is under way."""
        return self.ended_seconds is None

    def end(self, at_seconds: float, ending: Ending) -> Episode:
        """Return it as over since ``at_seconds``."""
        return replace(self, ended_seconds=at_seconds, ending=ending)

    def reaching(self, score: float, distance: float) -> Episode:
        """Return it with one more sample's score and signed distance from the expected value."""
        if not np.isfinite(score):
            return self
        return replace(
            self,
            peak_score=max(self.peak_score, score),
            below=max(self.below, -distance),
            above=max(self.above, distance),
        )

    def covers(self, at_seconds: float) -> bool:
        """Return whether a sample of that time belongs to it and so must not be learned."""
        if self.ending in NORMAL_AFTER_ALL:
            return False
        if self.ended_seconds is not None and at_seconds > self.ended_seconds:
            return False
        return at_seconds >= self.started_seconds


def series_id(query: str, key: SeriesKey) -> str:
    """Return a short name for a series that is safe in a URL and stable over restarts."""
    text = query + "\x00" + "\x00".join(f"{name}\x01{value}" for name, value in key)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Episodes:
    """The episodes of one query, by series; old ones stay while their samples could be learned."""

    def __init__(self, known: Iterable[Episode] = ()) -> None:
        self._by_key: defaultdict[SeriesKey, list[Episode]] = defaultdict(list)
        for episode in sorted(known, key=lambda one: one.started_seconds):
            self._by_key[episode.key].append(episode)

    def open(self) -> list[Episode]:
        """Return those under way."""
        return [of_key[-1] for of_key in self._by_key.values() if of_key and of_key[-1].is_open]

    def before(self, episode: Episode) -> list[Episode]:
        """Return the earlier episodes of the same series."""
        return [one for one in self._by_key[episode.key] if one.id != episode.id]

    def replace(self, episode: Episode) -> None:
        """Take an episode of the same id in place of the one known."""
        of_key = self._by_key[episode.key]
        of_key[:] = [episode if one.id == episode.id else one for one in of_key]

    def every(self) -> list[Episode]:
        """Return all that are remembered."""
        return [episode for of_key in self._by_key.values() for episode in of_key]

    def of(self, key: SeriesKey) -> Episode | None:
        """Return the episode of a series that is under way, if any."""
        of_key = self._by_key.get(key)
        return of_key[-1] if of_key and of_key[-1].is_open else None

    def begin(self, episode: Episode) -> None:
        """Remember a new episode."""
        self._by_key[episode.key].append(episode)

    def reach(self, key: SeriesKey, score: float, distance: float) -> None:
        """Let the episode of a series that is under way know one more sample."""
        self._by_key[key][-1] = self._by_key[key][-1].reaching(score, distance)

    def end(self, key: SeriesKey, at_seconds: float, ending: Ending) -> Episode | None:
        """End the episode of a series and return it; None when none is under way."""
        running = self.of(key)
        if running is None:
            return None
        ended = running.end(at_seconds, ending)
        self._by_key[key][-1] = ended
        return ended

    def covering(self, at_seconds: float, slots: Mapping[SeriesKey, int], count: int) -> Flags:
        """Return, a flag a slot, whose sample of that time belongs to an episode."""
        flags = np.zeros(count, dtype=np.bool_)
        for key, of_key in self._by_key.items():
            slot = slots.get(key)
            if slot is not None and any(one.covers(at_seconds) for one in of_key):
                flags[slot] = True
        return flags

    def forget_before(self, at_seconds: float) -> None:
        """Drop what ended before that time."""
        for key in list(self._by_key):
            kept = [
                one
                for one in self._by_key[key]
                if one.ended_seconds is None or one.ended_seconds >= at_seconds
            ]
            if kept:
                self._by_key[key] = kept
            else:
                del self._by_key[key]
