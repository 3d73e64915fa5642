"""Faults put into recorded samples, so that history without labels can be measured, too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from anomaly.backtest.events import Event
from anomaly.detectors import Floats
from anomaly.detectors.robust_zscore import centre_and_spread
from anomaly.panel import Block
from anomaly.settings import Direction, QuerySettings

LENGTH_SAMPLES = 30
SPREADS = 8.0
"""How far a fault goes, in robust standard deviations of the series; never less than what the
query's own policy calls a deviation that matters, and half as much again."""

POLICY_MARGIN = 1.5

Shape = Callable[[int, np.random.Generator], Floats]
"""Samples of a fault that goes to 1, by their number."""

SHAPES: dict[str, Shape] = {
    "level-shift": lambda samples, _rng: np.ones(samples),
    "drift": lambda samples, _rng: np.linspace(0.0, 2.0, samples),
    "bursts": lambda samples, rng: np.where(rng.random(samples) < 0.7, 1.5, 0.2),
}


def inject(
    samples: Block,
    settings: QuerySettings,
    *,
    query: str,
    from_seconds: float,
    a_series: int,
    seed: int,
) -> tuple[Block, list[Event]]:
    """Return the samples with faults, and the faults.

    Args:
        from_seconds: faults lie after that time, evenly apart with chance in where exactly.
        a_series: faults put into each series; fewer where they would touch.
        seed: the same one gives the same faults.
    """
    rng = np.random.default_rng(seed)
    values = samples.values.copy()
    times = np.asarray(samples.times_seconds)
    first = int(np.searchsorted(times, from_seconds))
    stretch = (len(times) - first) // max(1, a_series)
    events = []
    for row, key in enumerate(samples.keys):
        known = np.isfinite(values[row])
        if stretch < 3 * LENGTH_SAMPLES or not known.any():
            continue
        reach = _reach(values[row], settings)
        for fault in range(a_series):
            kind = list(SHAPES)[int(rng.integers(len(SHAPES)))]
            room = stretch - 2 * LENGTH_SAMPLES
            begin = first + fault * stretch + LENGTH_SAMPLES + int(rng.integers(room))
            end = begin + LENGTH_SAMPLES
            values[row, begin:end] += _sign(settings, rng) * reach * SHAPES[kind](end - begin, rng)
            events.append(Event(float(times[begin]), float(times[end - 1]), query, key, kind))
    return Block(samples.keys, samples.times_seconds, values), events


def _reach(row: Floats, settings: QuerySettings) -> float:
    centre, spread = centre_and_spread(row[None, :], settings.minimum_deviation.absolute / 4)
    minimum = settings.minimum_deviation
    matters = max(minimum.absolute, minimum.relative * abs(float(centre[0])))
    return max(SPREADS * float(spread[0]), POLICY_MARGIN * matters)


def _sign(settings: QuerySettings, rng: np.random.Generator) -> float:
    if settings.direction is Direction.BOTH:
        return float(rng.choice([-1.0, 1.0]))
    return 1.0 if settings.direction is Direction.ABOVE else -1.0
