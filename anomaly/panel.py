"""The samples of a query's series over a window of time, as one matrix."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anomaly.detectors import Flags, Floats, Slots
from anomaly.slots import resized

Label = tuple[str, str]
SeriesKey = tuple[Label, ...]
"""Labels sorted by name: the identity of a series."""

Matrix = npt.NDArray[np.float32]

SLACK_SAMPLES = 8
"""The array is this much longer than the window, which is copied as seldom as that."""

FEW_LABELS = 1_000

GROWTH_SHARE = 64
"""Room is made for this share more series than have come: few arrive one by one."""


def key_of(labels: Mapping[str, str]) -> SeriesKey:
    """Return the identity of a series; its metric name is not part of it."""
    return tuple(sorted([label for label in labels.items() if label[0] != "__name__"]))


def share_of(key: SeriesKey) -> float:
    """Return a number in [0, 1) that is the series' own: by its labels alone, and spread evenly."""
    text = "\x00".join(f"{name}\x01{value}" for name, value in key)
    return zlib.crc32(text.encode()) / 2**32


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


class SharedLabels:
    """Keeps each label once, not once a series: most are those of many."""

    def __init__(self) -> None:
        self._known: dict[Label, Label] = {}
        self._worth_looking = FEW_LABELS

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._known)

    def shared(self, key: SeriesKey) -> SeriesKey:
        """Return an equal identity, made of the labels that other series have already."""
        return tuple([self._known.setdefault(label, label) for label in key])

    def forget_unused(self, keys: Iterable[SeriesKey]) -> None:
        """Drop what none of these series has, once enough has come to be worth looking."""
        if len(self._known) < self._worth_looking:
            return
        self._known = {label: label for key in keys for label in key}
        self._worth_looking = max(FEW_LABELS, 2 * len(self._known))


class Panel:
    """A window of samples, slots x time, in which series come and go.

    Samples are kept in one array that is a little longer than the window, so that the window is
    always one piece of it; when the array is full its newest part moves to the front.

    Args:
        window_samples: how many samples of each series are kept.
        maximum_series: further series are refused.

    Attributes:
        window_samples: as given.
        generation: changes whenever another series is in some slot than before.
    """

    def __init__(self, window_samples: int, maximum_series: int) -> None:
        self.window_samples = window_samples
        self._maximum_series = maximum_series
        self._width = window_samples + SLACK_SAMPLES
        self._values: Matrix = np.empty((0, self._width), dtype=np.float32)
        # Few series have had an incident in the window, so only those have flags.
        self._excluded: dict[int, Flags] = {}
        self._times = np.empty(self._width)
        self._end = 0
        self._slot_of: dict[SeriesKey, int] = {}
        self._key_of: dict[int, SeriesKey] = {}
        self._free: list[int] = []
        self._labels = SharedLabels()
        self.last_seen_seconds = np.empty(0)
        self.generation = 0

    @property
    def slots(self) -> int:
        """Return the number of rows, used or free."""
        return len(self._values)

    @property
    def keys(self) -> Mapping[SeriesKey, int]:
        """Return the slot of each series."""
        return self._slot_of

    @property
    def series_in(self) -> Mapping[int, SeriesKey]:
        """Return the series of each used slot."""
        return self._key_of

    @property
    def last_time_seconds(self) -> float | None:
        """Return the Unix time of the newest samples, None before the first."""
        return float(self._times[self._end - 1]) if self._end else None

    def known(self, keys: Sequence[SeriesKey]) -> Slots:
        """Return the slot of each series, -1 for one that has none."""
        return np.array([self._slot_of.get(key, -1) for key in keys], dtype=np.intp)

    def admit(self, keys: Sequence[SeriesKey]) -> tuple[Slots, int]:
        """Give each series a slot; return them, -1 for a refused one, and how many were refused."""
        new = sum(key not in self._slot_of for key in keys)
        self._reserve(min(self._maximum_series, len(self._slot_of) + new))
        slots = np.array([self._slot_for(key) for key in keys], dtype=np.intp)
        return slots, int((slots < 0).sum())

    def _slot_for(self, key: SeriesKey) -> int:
        known = self._slot_of.get(key)
        if known is not None:
            return known
        if not self._free:
            return -1
        slot = self._free.pop()
        key = self._labels.shared(key)
        self._slot_of[key] = slot
        self._key_of[slot] = key
        self.generation += 1
        return slot

    def _reserve(self, series: int) -> None:
        first = self.slots
        if series <= first:
            return
        count = min(self._maximum_series, max(8, series + series // GROWTH_SHARE))
        self._values = resized(self._values, count, np.nan)
        self.last_seen_seconds = resized(self.last_seen_seconds, count, -np.inf)
        self._free = [*range(count - 1, first - 1, -1), *self._free]

    def append(self, at_seconds: float, values: Floats) -> None:
        """Add one sample of each slot (NaN where there is none) at a time after the last."""
        if self._end == self._width:
            self._move_to_front()
        self._values[:, self._end] = values
        self._times[self._end] = at_seconds
        self._end += 1
        np.copyto(self.last_seen_seconds, at_seconds, where=np.isfinite(values))

    def _move_to_front(self) -> None:
        kept = slice(self._end - self.window_samples, self._end)
        for array in (self._values, self._times):
            array[..., : self.window_samples] = array[..., kept].copy()
        for slot, flags in list(self._excluded.items()):
            flags[: self.window_samples] = flags[kept].copy()
            flags[self.window_samples :] = False
            if not flags.any():
                del self._excluded[slot]
        self._end = self.window_samples

    def exclude(self, samples_ago: int, flags: Flags) -> None:
        """Keep the flagged slots' sample of that long ago (0: the newest) out of ``learnable``."""
        column = self._end - 1 - samples_ago
        for slot in flags.nonzero()[0].tolist():
            of_slot = self._excluded.setdefault(slot, np.zeros(self._width, dtype=np.bool_))
            of_slot[column] = True

    def time_seconds(self, samples_ago: int) -> float:
        """Return the Unix time of the sample of that long ago; 0 is the newest."""
        return float(self._times[self._end - 1 - samples_ago])

    def sample(self, samples_ago: int) -> Floats:
        """Return a copy of each slot's sample of that long ago; 0 is the newest."""
        return self._values[:, self._end - 1 - samples_ago].astype(np.float64)

    def recent(self, samples: int) -> Matrix:
        """Return up to that many of the newest samples of each slot, newest last; a view."""
        return self._values[:, max(0, self._end - samples) : self._end]

    def learnable(self, unsettled_samples: int, slots: Slots | slice = slice(None)) -> Matrix:
        """Return the window without its newest samples and with NaN for what must not be learned.

        Args:
            slots: those wanted.

        Returns:
            A copy, slots x samples, oldest first.
        """
        end = max(0, self._end - unsettled_samples)
        start = max(0, self._end - self.window_samples)
        wanted = np.arange(self.slots)[slots]
        window = self._values[wanted, start:end]
        for slot, flags in self._excluded.items():
            for row in np.flatnonzero(wanted == slot):
                window[row, flags[start:end]] = np.nan
        return window

    def block(self) -> Block:
        """Return the whole window as one read would have brought it."""
        window = slice(max(0, self._end - self.window_samples), self._end)
        slots = list(self._slot_of.values())
        values = self._values[slots, window].astype(np.float64)
        return Block(tuple(self._slot_of), self._times[window].tolist(), values)

    def unseen_since(self, at_seconds: float) -> list[SeriesKey]:
        """Return the series without a sample at or after that time."""
        unseen = (self.last_seen_seconds < at_seconds).nonzero()[0]
        return [self._key_of[slot] for slot in unseen.tolist() if slot in self._key_of]

    def forget(self, keys: Sequence[SeriesKey]) -> Slots:
        """Drop the given series and return the slots they leave free."""
        slots = np.array([self._slot_of.pop(key) for key in keys], dtype=np.intp)
        self._values[slots] = np.nan
        self.last_seen_seconds[slots] = -np.inf
        for slot in slots.tolist():
            self._excluded.pop(slot, None)
            del self._key_of[slot]
            self._free.append(slot)
        self._labels.forget_unused(self._slot_of)
        self.generation += 1
        return slots
