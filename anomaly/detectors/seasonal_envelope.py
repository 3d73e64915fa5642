"""A level, a daily profile and a spread for every series, moved a little by each clean sample.

What a sample can move is bounded (Huber's influence function), so that outliers teach little; the
state is one profile a series, whatever the length of the history. The spread is a running median
of the distances, moved by their sign alone (a stochastic approximation, Robbins and Monro 1951).

Reference for the bounded influence: P. J. Huber, "Robust Estimation of a Location Parameter",
Annals of Mathematical Statistics 1964.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anomaly.detectors import Expectation, Floats, Moment, Past, Slots, Terms
from anomaly.detectors.robust_zscore import SMALLEST_SPREAD_RATIO, centre_and_spread
from anomaly.seasons import Bins, Profile
from anomaly.slots import resized

INFLUENCE_SPREADS = 1.5
"""A sample moves the level like one that is this many spreads away at most (Huber's constant)."""

LEVEL_SECONDS_WITHOUT_PROFILE = 3_600.0
LEVEL_SECONDS_WITH_PROFILE = 21_600.0
"""The level follows within an hour while the time of day is new, within six once it is known."""

PERIODS_REMEMBERED = 5.0
"""The profile is an average over about this many days, or weeks."""

ENOUGH_SAMPLES = 60_000
"""No more are counted of a bin; a profile has long forgotten the first of them by then."""

PRIOR_SAMPLES = 3.0
"""A time of day starts as if it had been seen this often, exactly at the level."""

SPREAD_SAMPLES = 300.0
"""The spread is a median over about this many samples."""

MEDIAN_OF_NORMAL = 0.6745
"""The median distance of a normal distribution from its centre, in standard deviations."""


class SeasonalEnvelope:
    """Deviation = distance from level plus profile, in robust standard deviations."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        step = terms.step_seconds
        self._fast = 1 - np.exp(-step / LEVEL_SECONDS_WITHOUT_PROFILE)
        self._slow = 1 - np.exp(-step / LEVEL_SECONDS_WITH_PROFILE)
        self._samples_per_bin = max(1.0, terms.season.bin_seconds / step)
        self._longest_samples = max(PERIODS_REMEMBERED * self._samples_per_bin, PRIOR_SAMPLES + 1.0)
        self._smallest_spread = max(terms.smallest_spread, float(np.finfo(np.float32).tiny))
        self._level = np.empty(0)
        self._log_spread = np.empty(0)
        self._floor = np.empty(0)
        self._samples = np.empty(0)
        bins = terms.season.bins
        self._profile: npt.NDArray[np.float32] = np.empty((0, bins), dtype=np.float32)
        self._weight: npt.NDArray[np.uint16] = np.empty((0, bins), dtype=np.uint16)
        self._profiled_until = np.empty(0)
        # Asked for twice a sample, by who judges it and by who draws the band.
        self._expected: tuple[float, Expectation] | None = None

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        self._level = resized(self._level, slots, np.nan)
        self._log_spread = resized(self._log_spread, slots, np.nan)
        self._samples = resized(self._samples, slots, 0.0)
        self._profile = resized(self._profile, slots, 0.0)
        self._weight = resized(self._weight, slots, 0)
        self._profiled_until = resized(self._profiled_until, slots, -np.inf)
        self._expected = None

    def forget(self, slots: Slots) -> None:
        """Drop what was learned of the given slots."""
        self._level[slots] = np.nan
        self._log_spread[slots] = np.nan
        self._samples[slots] = 0.0
        self._profile[slots] = 0.0
        self._weight[slots] = 0
        self._profiled_until[slots] = -np.inf
        self._expected = None

    def profiles(self, slots: Slots) -> tuple[Bins, Bins]:
        """Return the profile of the given slots, and of how many samples it is, slots x bins."""
        return self._profile[slots], self._weight[slots].astype(np.float32)

    def recall(self, slot: int, profile: Profile, until_seconds: float) -> None:
        """Take up the profile that a series had at that Unix time."""
        self._profile[slot] = profile.distance
        self._weight[slot] = profile.samples
        self._profiled_until[slot] = until_seconds
        self._expected = None

    def expect(self, at_seconds: float) -> Expectation:
        """Return level plus profile at that time of day, and the spread around it."""
        if self._expected is None or self._expected[0] != at_seconds:
            self._expected = at_seconds, self._expect(self._terms.season.bin_of(at_seconds))
        return self._expected[1]

    def _expect(self, at: int, rows: Slots | slice = slice(None)) -> Expectation:
        """Return what is expected of the given slots in a bin of the season."""
        centre = self._level[rows] + self._profile[rows, at]
        floor = np.maximum(SMALLEST_SPREAD_RATIO * np.abs(centre), self._smallest_spread)
        return Expectation(centre, np.maximum(np.exp(self._log_spread[rows]), floor))

    def score(self, moment: Moment) -> Floats:
        """Return the distance from what was expected, in robust standard deviations."""
        expected = self.expect(moment.at_seconds)
        deviation: Floats = np.abs(moment.values - expected.centre) / expected.spread
        return deviation

    def learn(self, past: Past) -> None:
        """Let one settled sample of each series move its level, profile and spread."""
        seen = np.isfinite(past.newest)
        self._samples += seen
        self._expected = None
        taught = seen & np.isfinite(self._level)
        count = np.count_nonzero(taught)
        if count == len(taught):
            self._move(past, slice(None))
            return
        ready = self._samples >= self._terms.minimum_samples
        new = (seen & ~taught & ready).nonzero()[0]
        if len(new):
            self._begin(past, new)
        if count:
            self._move(past, taught.nonzero()[0])

    def _begin(self, past: Past, new: Slots) -> None:
        window = past.window(new).astype(np.float64) - self._profile_over(past, new)
        enough = np.isfinite(window).sum(axis=1) >= self._terms.minimum_samples
        if enough.any():
            centre, spread = centre_and_spread(window[enough], self._terms.smallest_spread)
            self._level[new[enough]] = centre
            self._log_spread[new[enough]] = np.log(spread)

    def _profile_over(self, past: Past, slots: Slots) -> Floats | float:
        """Return the profile at the times of the window; 0 for series that have none yet."""
        if not np.isfinite(self._profiled_until[slots]).any():
            return 0.0
        samples = past.window(slots[:1]).shape[1]
        ages_seconds = np.arange(samples - 1, -1, -1) * self._terms.step_seconds
        bins = [self._terms.season.bin_of(past.at_seconds - age) for age in ages_seconds.tolist()]
        return self._profile[slots][:, bins].astype(np.float64)

    def _move(self, past: Past, taught: Slots | slice) -> None:
        at = self._terms.season.bin_of(past.at_seconds)
        expected = self._expect(at, taught)
        spread = expected.spread
        distance = past.newest[taught] - expected.centre
        farthest = INFLUENCE_SPREADS * spread
        pull = np.minimum(np.maximum(distance, -farthest), farthest)

        weight = self._weight[taught, at].astype(np.float64)
        known_share = np.minimum(weight / self._samples_per_bin, 1.0)
        follow = self._fast + (self._slow - self._fast) * known_share
        self._level[taught] += follow * pull
        learn_rate = 1.0 / np.minimum(weight + PRIOR_SAMPLES, self._longest_samples)
        new = past.at_seconds > self._profiled_until[taught]
        self._profile[taught, at] += new * (1 - follow) * learn_rate * pull
        self._weight[taught, at] += new & (weight < ENOUGH_SAMPLES)

        beyond = np.abs(distance) > MEDIAN_OF_NORMAL * spread
        rate = 2.0 / np.minimum(self._samples[taught], SPREAD_SAMPLES)
        self._log_spread[taught] += rate * (beyond - 0.5)
