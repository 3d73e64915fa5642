"""The samples of a query's series over a window of time, as one matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anomaly.detectors import Flags, Floats, Slots
from anomaly.slots import resized

SeriesKey = tuple[tuple[str, str], ...]
"""Labels sorted by name: the identity of a series."""

Matrix = npt.NDArray[np.float32]


def key_of(labels: Mapping[str, str]) -> SeriesKey:
    """Return the identity of a series; its metric name is not part of it."""
    return tuple(sorted((name, value) for name, value in labels.items() if name != "__name__"))


@dataclass(frozen=True, slots=True)
class Block:
    """What one read brought: consecutive samples on the query's grid of times.

    Attributes:
        keys: the series, one a row.
        times_seconds: Unix times, one a column, increasing by the step.
        values: series x times, NaN where there is no sample.
    """

    keys: tuple[SeriesKey, ...]
    times_seconds: Sequence[float]
    values: Floats


class Panel:
    """A window of samples, slots x time, in which series come and go.

    Samples are kept in one array that is longer than the window, so that the window is always one
    piece of it; when the array is full its newest part moves to the front.

    Args:
        window_samples: how many samples of each series are kept.
        maximum_series: further series are refused.
    """

    def __init__(self, window_samples: int, maximum_series: int) -> None:
        self._window_samples = window_samples
        self._maximum_series = maximum_series
        self._width = window_samples + max(32, window_samples // 4)
        self._values: Matrix = np.empty((0, self._width), dtype=np.float32)
        self._excluded: Flags = np.empty((0, self._width), dtype=np.bool_)
        self._times = np.empty(self._width)
        self._end = 0
        self._slot_of: dict[SeriesKey, int] = {}
        self._free: list[int] = []
        self.last_seen_seconds = np.empty(0)

    @property
    def slots(self) -> int:
        """Return the number of rows, used or free."""
        return len(self._values)

    @property
    def keys(self) -> Mapping[SeriesKey, int]:
        """Return the slot of each series."""
        return self._slot_of

    @property
    def last_time_seconds(self) -> float | None:
        """Return the Unix time of the newest samples, None before the first."""
        return float(self._times[self._end - 1]) if self._end else None

    def admit(self, keys: Sequence[SeriesKey]) -> tuple[Slots, int]:
        """Give each series a slot; return them, -1 for a refused one, and how many were refused."""
        slots = np.array([self._slot_for(key) for key in keys], dtype=np.intp)
        return slots, int((slots < 0).sum())

    def _slot_for(self, key: SeriesKey) -> int:
        known = self._slot_of.get(key)
        if known is not None:
            return known
        if len(self._slot_of) >= self._maximum_series:
            return -1
        slot = self._free.pop() if self._free else self._grow()
        self._slot_of[key] = slot
        return slot

    def _grow(self) -> int:
        first = self.slots
        # Growing by a quarter keeps admitting many series linear in their number.
        count = min(self._maximum_series, max(8, first + first // 4 + 1))
        self._values = resized(self._values, count, np.nan)
        self._excluded = resized(self._excluded, count, fill=False)
        self.last_seen_seconds = resized(self.last_seen_seconds, count, -np.inf)
        self._free.extend(range(count - 1, first, -1))
        return first

    def append(self, at_seconds: float, values: Floats) -> None:
        """Add one sample of each slot (NaN where there is none) at a time after the last."""
        if self._end == self._width:
            self._move_to_front()
        self._values[:, self._end] = values
        self._excluded[:, self._end] = False
        self._times[self._end] = at_seconds
        self._end += 1
        self.last_seen_seconds[np.isfinite(values)] = at_seconds

    def _move_to_front(self) -> None:
        kept = slice(self._end - self._window_samples, self._end)
        for array in (self._values, self._excluded, self._times):
            array[..., : self._window_samples] = array[..., kept].copy()
        self._end = self._window_samples

    def exclude(self, samples_ago: int, flags: Flags) -> None:
        """Keep the flagged slots' sample of that long ago (0: the newest) out of ``learnable``."""
        self._excluded[: flags.shape[0], self._end - 1 - samples_ago] |= flags

    def time_seconds(self, samples_ago: int) -> float:
        """Return the Unix time of the sample of that long ago; 0 is the newest."""
        return float(self._times[self._end - 1 - samples_ago])

    def sample(self, samples_ago: int) -> Floats:
        """Return a copy of each slot's sample of that long ago; 0 is the newest."""
        return self._values[:, self._end - 1 - samples_ago].astype(np.float64)

    def recent(self, samples: int) -> Matrix:
        """Return up to that many of the newest samples of each slot, newest last; a view."""
        return self._values[:, max(0, self._end - samples) : self._end]

    def learnable(self, unsettled_samples: int) -> Matrix:
        """Return the window without its newest samples and with NaN for what must not be learned.

        A copy, slots x samples, oldest first.
        """
        end = max(0, self._end - unsettled_samples)
        start = max(0, self._end - self._window_samples)
        window = self._values[:, start:end].copy()
        window[self._excluded[:, start:end]] = np.nan
        return window

    def block(self) -> Block:
        """Return the whole window as one read would have brought it."""
        window = slice(max(0, self._end - self._window_samples), self._end)
        slots = list(self._slot_of.values())
        values = self._values[slots, window].astype(np.float64)
        return Block(tuple(self._slot_of), self._times[window].tolist(), values)

    def forget(self, keys: Sequence[SeriesKey]) -> Slots:
        """Drop the given series and return the slots they leave free."""
        slots = np.array([self._slot_of.pop(key) for key in keys], dtype=np.intp)
        self._values[slots] = np.nan
        self._excluded[slots] = False
        self.last_seen_seconds[slots] = -np.inf
        self._free.extend(int(slot) for slot in slots)
        return slots
