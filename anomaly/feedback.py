"""What people tell the detectors: what was no problem, what is normal now, what must not teach.

Nothing said is ever deleted: undoing is said, too, by someone and at some time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf

from anomaly.episodes import Ending, Episode
from anomaly.panel import SeriesKey

TOLERANCE_RATIO = 1.25
"""What was no problem may go a quarter further before it alerts again."""


class Kind(StrEnum):
    """What was said.

    ``accept``: since ``starts`` the series is at a new normal; what was before teaches no more.
    ``not-a-problem``: an episode was normal; deviations as large do not alert again.
    ``exclude``: a stretch that teaches nothing.
    ``maintenance``: a stretch that teaches nothing and alerts nobody.
    ``deploy``: something was changed; shown with alerts, changes no score.
    """

    ACCEPT = "accept"
    NOT_A_PROBLEM = "not-a-problem"
    EXCLUDE = "exclude"
    MAINTENANCE = "maintenance"
    DEPLOY = "deploy"


@dataclass(frozen=True, slots=True)
class Feedback:
    """One thing somebody said of some series.

    Attributes:
        query: None for every query.
        labels: those a series must carry; all of its labels when ``exact``.
        episode: the id of the one it is about, if it is about one.
        starts_seconds, ends_seconds: the Unix times it is about, both included.
        below, above: how far from the expected value is no problem, in the series' unit.
        undone_seconds: since when it holds no more; None while it does.
    """

    id: str
    kind: Kind
    query: str | None
    labels: SeriesKey
    exact: bool
    starts_seconds: float
    by: str
    reason: str
    created_seconds: float
    ends_seconds: float = inf
    episode: str | None = None
    below: float = 0.0
    above: float = 0.0
    undone_seconds: float | None = None
    undone_by: str | None = None

    @property
    def holds(self) -> bool:
        """Return whether it has not been undone."""
        return self.undone_seconds is None

    def concerns(self, query: str, key: SeriesKey) -> bool:
        """Return whether it was said of this series."""
        if self.query not in (None, query):
            return False
        return key == self.labels if self.exact else set(self.labels) <= set(key)

    def spans(self, at_seconds: float) -> bool:
        """Return whether it was said of this time."""
        return self.starts_seconds <= at_seconds <= self.ends_seconds

    def undone(self, at_seconds: float, by: str) -> Feedback:
        """Return it as taken back."""
        return replace(self, undone_seconds=at_seconds, undone_by=by)


def judged_by_people(episodes: Iterable[Episode], said: Iterable[Feedback]) -> list[Episode]:
    """Return a query's episodes as what was said makes them.

    One under way that was called no problem, or accepted as the new level, is over since that was
    said. When it is taken back, the episode is what it was before: under way again, or recovered.

    Args:
        said: all that was ever said of the query, also what was undone, oldest first.
    """
    said = list(said)
    return [_judged(episode, said) for episode in episodes]


def _judged(episode: Episode, said: list[Feedback]) -> Episode:
    for word in said:
        if not _is_about(word, episode):
            continue
        if word.holds:
            episode = _closed(episode, word)
        elif episode.ending is _ENDING[word.kind]:
            episode = _as_before(episode, word)
    return episode


_ENDING = {Kind.ACCEPT: Ending.ACCEPTED, Kind.NOT_A_PROBLEM: Ending.NOT_A_PROBLEM}


def _is_about(word: Feedback, episode: Episode) -> bool:
    if word.kind not in _ENDING or not word.concerns(episode.query, episode.key):
        return False
    if word.kind is Kind.NOT_A_PROBLEM:
        return word.episode == episode.id
    ended = inf if episode.ended_seconds is None else episode.ended_seconds
    return episode.started_seconds <= word.created_seconds and ended >= word.starts_seconds


def _closed(episode: Episode, word: Feedback) -> Episode:
    ended = word.created_seconds if episode.ended_seconds is None else episode.ended_seconds
    return replace(episode, ended_seconds=ended, ending=_ENDING[word.kind])


def _as_before(episode: Episode, word: Feedback) -> Episode:
    was_under_way = episode.ended_seconds is not None and (
        episode.ended_seconds >= word.created_seconds
    )
    if was_under_way:
        return replace(episode, ended_seconds=None, ending=None)
    return replace(episode, ending=Ending.RECOVERED)
