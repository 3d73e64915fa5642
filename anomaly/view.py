"""What is known of a series now, as the metrics, the API and the alerts show it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from anomaly.chain import Verdict
from anomaly.detectors import Flags, Floats, Slots
from anomaly.episodes import Episode, series_id
from anomaly.panel import SeriesKey
from anomaly.settings import QuerySettings
from anomaly.slots import resized


class State(StrEnum):
    """Whether a series' score means something. Only ``ready`` has one."""

    WARMING = "warming"
    READY = "ready"
    STALE = "stale"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class SeriesView:
    """One series now. Numbers are None where nothing can be said; a missing score is never 0."""

    query: str
    key: SeriesKey
    state: State
    detector: str
    scores: Mapping[str, float]
    actual: float | None
    expected: float | None
    lower: float | None
    upper: float | None
    episode: Episode | None

    @property
    def id(self) -> str:
        """Return the series' name in URLs."""
        return series_id(self.query, self.key)

    @property
    def labels(self) -> dict[str, str]:
        """Return the series' own labels."""
        return dict(self.key)

    @property
    def text(self) -> str:
        """Return the labels as a selector, to be read by people."""
        return text_of(self.key)

    @property
    def alerting(self) -> bool:
        """Return whether people are being told of it."""
        return self.episode is not None and not self.episode.habitual

    @property
    def score(self) -> float | None:
        """Return the score of the detector in force."""
        return self.scores.get(self.detector)


def text_of(key: SeriesKey) -> str:
    """Return labels as a selector, to be read by people."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in key) + "}"


STATES = tuple(State)


def states_of(
    ages_seconds: Floats, settings: QuerySettings, *, has_score: Flags, source_age_seconds: float
) -> npt.NDArray[np.intp]:
    """Return the state of each series, as its place in ``STATES``.

    Args:
        ages_seconds: time since the newest sample of each.
        settings: of their query.
        has_score: whether each was ever judged.
        source_age_seconds: time since the query itself was last answered. When Prometheus is
            silent a series is stale; only an answer without it makes it absent.
    """
    late_seconds = settings.late_data_delay + settings.step
    conditions = (
        ages_seconds - source_age_seconds > settings.absent_seconds,
        ages_seconds > settings.stale_seconds + late_seconds,
        has_score,
    )
    places = [STATES.index(one) for one in (State.ABSENT, State.STALE, State.READY)]
    found: npt.NDArray[np.intp] = np.select(conditions, places, STATES.index(State.WARMING))
    return found


@dataclass(frozen=True, slots=True)
class Overview:
    """All series of a query at a glance.

    Attributes:
        states: how many are in each state.
        anomalous: how many ready ones score above 1.
        rates: by group, the share of its ready series that score above 1.
        notable: the series that score at least the floor asked for, or alert.
    """

    states: Mapping[State, int]
    anomalous: int
    rates: Mapping[str, float]
    notable: Sequence[SeriesView]


class Latest:
    """The newest numbers of each slot; a missing sample leaves the ones before it."""

    FIELDS = ("actual", "expected", "lower", "upper")

    def __init__(self, detectors: tuple[str, ...]) -> None:
        self._numbers: dict[str, Floats] = {field: np.empty(0) for field in self.FIELDS}
        self._scores: dict[str, Floats] = {name: np.empty(0) for name in detectors}

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        for rows in (self._numbers, self._scores):
            for name in rows:
                rows[name] = resized(rows[name], slots, np.nan)

    def forget(self, slots: Slots) -> None:
        """Know nothing of the given slots."""
        for rows in (*self._numbers.values(), *self._scores.values()):
            rows[slots] = np.nan

    def update(self, verdict: Verdict) -> None:
        """Take what a verdict says; expectation and band move even where a sample is missing."""
        new = {
            "actual": verdict.actual,
            "expected": verdict.expected,
            "lower": verdict.band.lower,
            "upper": verdict.band.upper,
        }
        for rows, found in ((self._numbers, new), (self._scores, verdict.scores)):
            for name, values in found.items():
                np.copyto(rows[name], values, where=np.isfinite(values))

    def numbers(self, slot: int) -> dict[str, float | None]:
        """Return actual, expected, lower and upper of a slot, None where unknown."""
        return {field: _known(rows[slot]) for field, rows in self._numbers.items()}

    def scores_of(self, detector: str) -> Floats:
        """Return the newest score of every slot, NaN where there was none."""
        return self._scores[detector]

    def scores(self, slot: int) -> dict[str, float]:
        """Return the scores of a slot by detector, only those that exist."""
        found = {name: float(rows[slot]) for name, rows in self._scores.items()}
        return {name: score for name, score in found.items() if math.isfinite(score)}


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
