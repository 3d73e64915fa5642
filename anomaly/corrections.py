"""What people said, as flags and numbers by slot, for one query's evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from anomaly.detectors import Flags, Floats, Slots
from anomaly.feedback import Feedback, Kind
from anomaly.panel import SeriesKey
from anomaly.slots import resized


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far below and above the expected value nobody minds, one a slot."""

    below: Floats
    above: Floats


class Corrections:
    """What was said of a query's series, and to which slots it applies.

    Args:
        query: its name.
        said: what holds now.
    """

    def __init__(self, query: str, said: Iterable[Feedback] = ()) -> None:
        self._query = query
        self._said = [word for word in said if word.kind is not Kind.DEPLOY]
        self._concerned: list[Flags] = [np.empty(0, dtype=np.bool_) for _ in self._said]
        self._below = np.empty(0)
        self._above = np.empty(0)

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._concerned = [resized(flags, slots, fill=False) for flags in self._concerned]
        self._below = resized(self._below, slots, 0.0)
        self._above = resized(self._above, slots, 0.0)

    def forget(self, slots: Slots) -> None:
        """Apply nothing to the given slots."""
        for flags in self._concerned:
            flags[slots] = False
        self._below[slots] = 0.0
        self._above[slots] = 0.0

    def place(self, key: SeriesKey, slot: int) -> None:
        """Note which series is in a slot."""
        for word, flags in zip(self._said, self._concerned, strict=True):
            flags[slot] = word.concerns(self._query, key)
            if flags[slot] and word.kind is Kind.NOT_A_PROBLEM:
                self._below[slot] = max(self._below[slot], word.below)
                self._above[slot] = max(self._above[slot], word.above)

    def untaught(self, at_seconds: float) -> Flags:
        """Return whose sample of that time must teach nothing."""
        return self._flagged(lambda word: _teaches_nothing(word, at_seconds))

    def quiet(self, at_seconds: float) -> Flags:
        """Return whose sample of that time is evidence of nothing: they are in maintenance."""
        return self._flagged(lambda word: word.kind is Kind.MAINTENANCE and word.spans(at_seconds))

    def tolerance(self) -> Tolerance | None:
        """Return the deviations that people called no problem; None when they said nothing."""
        if not self._said:
            return None
        return Tolerance(self._below, self._above)

    def _flagged(self, applies: Callable[[Feedback], bool]) -> Flags:
        flags = np.zeros(self._below.shape, dtype=np.bool_)
        for word, concerned in zip(self._said, self._concerned, strict=True):
            if applies(word):
                flags |= concerned
        return flags


def _teaches_nothing(word: Feedback, at_seconds: float) -> bool:
    if word.kind is Kind.ACCEPT:
        return at_seconds < word.starts_seconds
    return word.kind in (Kind.EXCLUDE, Kind.MAINTENANCE) and word.spans(at_seconds)
