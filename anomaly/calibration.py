"""From a detector's evidence to a score: above 1 is anomalous, equally often for every detector.

Evidence is the level of a deviation (``energy.level_of``), with or without its novelty. Each series
counts its own clean evidence in bins; beyond the bin where ``TAIL_SHARE`` of it begins, a
generalised Pareto distribution is fitted by its moments (Hosking & Wallis, Technometrics 1987; the
peaks-over-threshold method of J. Pickands, Annals of Statistics 1975), and the evidence that clean
samples exceed with the wanted probability is where the score is 1.

Evidence enters after it was scored, never while it belongs to an incident, and is remembered for
weeks: a calibration that follows within days takes the incident it is in for normal. Samples that
follow each other in the tail tell little more than one of them, so each counts less than the one
before (declustering: C. Ferro and J. Segers, JRSS B 2003, is the theory of it).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from anomaly.detectors import Flags, Floats, Slots
from anomaly.energy import SOFTNESS, deviation_at, level_of
from anomaly.settings import Sensitivity
from anomaly.slots import resized

FALSE_ALARMS_PER_WEEK = {
    Sensitivity.VERY_HIGH: 10.0,
    Sensitivity.HIGH: 3.0,
    Sensitivity.MEDIUM: 1.0,
    Sensitivity.LOW: 0.1,
}
"""How often a clean series may alarm, before policy."""

WEEK_SECONDS = 7 * 86_400.0
SHORTEST_STEP_SECONDS = 60.0
"""Samples closer than this are not independent, and persistence asks for several of them."""

LARGEST_ALARM_RATE = 5e-4
"""At long steps too few samples come in a week to alarm on each that is merely rare."""

SUSTAINED_EXPONENT = 2 / 3
"""Where one sample cannot alarm, each may be less rare; were samples independent, and three asked
for, it would be 1/3."""

TAIL_SHARE = 0.05
"""The rarest twentieth of the evidence is the tail: enough of it to learn from within a day."""

FAST_SAMPLES = 2_000.0
LATER_WEIGHT = 0.02
"""After that many samples each counts a fiftieth: what nobody noticed must not become normal soon,
and an incident's last samples, when it is no longer told, are many."""

MEMORY_SAMPLES = 10_000.0
"""Evidence weighs no more than this; older evidence is forgotten over some hundred days at 60 s."""

PRIOR_SAMPLES = 30.0
"""Weight of the normal distribution's own evidence, until a series has shown its own."""

TAIL_PRIOR_SAMPLES = 30.0
TAIL_PRIOR_EXCESS = 0.75
"""The tail a series is believed to have before it has shown one, and how many samples of its own it
takes to outweigh that. Servers' metrics have far heavier tails than the normal distribution's 0.2;
chosen on development data, docs/anomaly-quality.md."""

SMALLEST_THRESHOLD = 2.0
"""Deviations: what lies within two standard deviations is never anomalous."""

REFRESH_RATIO = 0.05
"""Thresholds are fitted anew when this share of the evidence is new."""

BINS = 64
BIN_WIDTH = 0.1
LOWEST = float(np.log(SOFTNESS))
_CENTRES = (np.arange(BINS) + 0.5) * BIN_WIDTH

HEAVIEST_SHAPE = 0.25
LIGHTEST_SHAPE = -0.5
"""Limits of the Pareto shape: on the scale of levels a power law is 0, a bounded tail negative."""

SHAPE_PRIOR_SAMPLES = 200.0
"""The shape of a tail is a power law's until that many samples of it have shown another."""

_NORMAL = NormalDist()

Counts = npt.NDArray[np.float32]


def alarm_rate_of(sensitivity: Sensitivity, step_seconds: float, needed: int = 1) -> float:
    """Return the share of clean samples that may score above 1.

    Args:
        needed: anomalous samples that persistence asks for.
    """
    step = max(step_seconds, SHORTEST_STEP_SECONDS)
    alone = min(FALSE_ALARMS_PER_WEEK[sensitivity] * step / WEEK_SECONDS, LARGEST_ALARM_RATE)
    return alone if needed == 1 else alone**SUSTAINED_EXPONENT


def bins_of(evidence: Floats) -> npt.NDArray[np.intp]:
    """Return the bin of each finite evidence; all that is beyond the last is in the last."""
    return np.clip((evidence - LOWEST) / BIN_WIDTH, 0, BINS - 1).astype(np.intp)


class Calibration:
    """The clean evidence of every series of a query, and the score it gives new evidence.

    Args:
        alarm_rate: share of clean samples that may score above 1; 0 < rate < ``TAIL_SHARE``.
    """

    def __init__(self, alarm_rate: float) -> None:
        if not 0 < alarm_rate < TAIL_SHARE:
            raise ValueError(f"expected an alarm rate in (0, {TAIL_SHARE}), got {alarm_rate}")
        self.alarm_rate = alarm_rate
        self._prior = normal_counts()
        self._counts: Counts = np.empty((0, BINS), dtype=np.float32)
        self._threshold = np.empty(0)
        self._tail_begins = np.empty(0)
        self._run_samples = np.empty(0)
        self._samples = np.empty(0)
        self._learned = 0
        self._since_refresh = 0

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series."""
        before = len(self._counts)
        self._counts = resized(self._counts, slots, 0.0)
        self._threshold = resized(self._threshold, slots, 0.0)
        self._tail_begins = resized(self._tail_begins, slots, 0.0)
        self._run_samples = resized(self._run_samples, slots, 0.0)
        self._samples = resized(self._samples, slots, 0.0)
        self.forget(np.arange(before, len(self._counts)))

    def forget(self, slots: Slots) -> None:
        """Return the given slots to the evidence of a normal distribution."""
        self._counts[slots] = self._prior
        self._samples[slots] = 0.0
        self._run_samples[slots] = 0.0
        prior = tails_of(self._prior[None, :], self.alarm_rate)
        self._threshold[slots], self._tail_begins[slots] = prior.threshold, prior.begins

    def thresholds(self) -> Floats:
        """Return the deviation at which each slot's score is 1."""
        return deviation_at(self._threshold)

    def score(self, evidence: Floats) -> Floats:
        """Return the score of each evidence, NaN for NaN.

        Up to 1 the share of the threshold a deviation of that level has reached, beyond it 1 plus
        the evidence beyond the threshold, which is logarithmic.
        """
        share = deviation_at(evidence) / deviation_at(self._threshold)
        beyond = evidence - self._threshold
        return np.where(beyond > 0, 1.0 + beyond, np.minimum(share, 1.0))

    def learn(self, evidence: Floats, learnable: Flags) -> None:
        """Count the given evidence where ``learnable``; NaN teaches nothing."""
        seen = np.isfinite(evidence)
        run = np.where(evidence > self._tail_begins, self._run_samples + 1.0, 0.0)
        self._run_samples = np.where(seen, run, self._run_samples)
        taught = np.flatnonzero(learnable & seen)
        # What lies beyond the threshold counts as lying at it: it cannot hide the next.
        bounded = np.minimum(evidence[taught], self._threshold[taught] + BIN_WIDTH)
        weight = np.where(self._samples[taught] < FAST_SAMPLES, 1.0, LATER_WEIGHT)
        weight /= np.sqrt(np.maximum(self._run_samples[taught], 1.0))
        self._counts[taught, bins_of(bounded)] += weight
        self._samples[taught] += 1.0
        self._learned += 1
        self._since_refresh += 1
        if self._since_refresh >= REFRESH_RATIO * min(self._learned, MEMORY_SAMPLES):
            self._refresh()

    def _refresh(self) -> None:
        self._since_refresh = 0
        tails = tails_of(self._counts, self.alarm_rate)
        self._threshold, self._tail_begins = tails.threshold, tails.begins
        total = self._counts.sum(axis=1, keepdims=True)
        self._counts *= np.minimum(1.0, MEMORY_SAMPLES / total)


def normal_counts() -> Counts:
    """Return the evidence of ``PRIOR_SAMPLES`` samples of a normal distribution, by bin."""
    # Its quantiles: as good as a sample of it, without its chance.
    shares = (np.arange(4_000) + 0.5) / 4_000
    deviations = np.array([abs(_NORMAL.inv_cdf(share)) for share in shares])
    counts = np.bincount(bins_of(level_of(deviations)), minlength=BINS)
    weighted: Counts = (counts * (PRIOR_SAMPLES / len(shares))).astype(np.float32)
    return weighted


@dataclass(frozen=True, slots=True)
class Tails:
    """Where the tail of each series' evidence begins, and what it exceeds at the alarm rate."""

    begins: Floats
    threshold: Floats


def tails_of(counts: Counts, alarm_rate: float) -> Tails:
    """Return the tail of each row of counts.

    Args:
        counts: series x bins, each row with a sum above 0.
    """
    total = counts.sum(axis=1)
    reversed_sum = np.cumsum(counts[:, ::-1], axis=1, dtype=np.float64)[:, ::-1]
    # The tail begins at the highest edge beyond which TAIL_SHARE still lies.
    begins = (reversed_sum >= TAIL_SHARE * total[:, None]).sum(axis=1) - 1
    rows = np.arange(len(counts))
    beyond = reversed_sum[rows, begins]
    edge = begins * BIN_WIDTH
    in_tail = np.arange(BINS)[None, :] >= begins[:, None]
    excess = np.where(in_tail, _CENTRES[None, :] - edge[:, None], 0.0)
    weight = np.where(in_tail, counts, 0.0) / beyond[:, None]
    mean = (weight * excess).sum(axis=1)
    variance = (weight * excess**2).sum(axis=1) - mean**2 + BIN_WIDTH**2 / 12
    shape = np.clip(0.5 * (1 - mean**2 / variance), LIGHTEST_SHAPE, HEAVIEST_SHAPE)
    shape *= beyond / (beyond + SHAPE_PRIOR_SAMPLES)
    shape = np.where(np.abs(shape) < 1e-6, 1e-6, shape)
    mean = (mean * beyond + TAIL_PRIOR_EXCESS * TAIL_PRIOR_SAMPLES) / (beyond + TAIL_PRIOR_SAMPLES)
    odds = np.maximum(beyond / total / alarm_rate, 1.0)
    reach = mean * (1 - shape) / shape * (odds**shape - 1)
    smallest = level_of(np.array(SMALLEST_THRESHOLD))
    return Tails(LOWEST + edge, np.maximum(LOWEST + edge + reach, smallest))
