"""Every verdict on every series, kept to be compared, measured and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from anomaly.chain import Verdict
from anomaly.detectors import Floats
from anomaly.evaluation import QueryEvaluation
from anomaly.panel import SeriesKey

FIELDS = ("actual", "expected", "lower", "upper", "score")


@dataclass(frozen=True, slots=True)
class Track:
    """What was said of one series over time, equally long arrays; NaN where nothing was known."""

    times_seconds: Floats
    actual: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    score: Floats


class Recording:
    """Takes verdicts in order, while series come, go and change their rows.

    Args:
        from_seconds: verdicts on samples before that time are not kept.
    """

    def __init__(self, from_seconds: float = float("-inf")) -> None:
        self._from_seconds = from_seconds
        self._times: list[float] = []
        self._columns: list[tuple[Floats, ...]] = []
        self._rows: list[Mapping[int, SeriesKey]] = []
        self._generation = -1

    def keep(self, verdict: Verdict, evaluation: QueryEvaluation) -> None:
        """Keep what was just said."""
        if verdict.at_seconds < self._from_seconds:
            return
        if evaluation.generation != self._generation or not self._rows:
            self._generation = evaluation.generation
            rows: Mapping[int, SeriesKey] = dict(evaluation.series_in)
        else:
            rows = self._rows[-1]
        self._rows.append(rows)
        self._times.append(verdict.at_seconds)
        score = verdict.scores[evaluation.settings.detector]
        band = verdict.band
        self._columns.append((verdict.actual, verdict.expected, band.lower, band.upper, score))

    def tracks(self) -> dict[SeriesKey, Track]:
        """Return what was said, by series."""
        times = np.array(self._times)
        keys = dict.fromkeys(key for rows in _changes(self._rows) for key in rows.values())
        found = {key: np.full((len(FIELDS), len(times)), np.nan) for key in keys}
        first = 0
        while first < len(times):
            last = first
            while last < len(times) and self._rows[last] is self._rows[first]:
                last += 1
            said = np.array(self._columns[first:last])  # samples x fields x slots
            for slot, key in self._rows[first].items():
                found[key][:, first:last] = said[:, :, slot].T
            first = last
        return {key: Track(times, *values) for key, values in found.items()}


def _changes(rows: list[Mapping[int, SeriesKey]]) -> list[Mapping[int, SeriesKey]]:
    """Return each of the mappings once."""
    return [one for at, one in enumerate(rows) if at == 0 or one is not rows[at - 1]]
