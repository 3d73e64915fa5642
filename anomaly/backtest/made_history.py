"""History that is made: what each query of a preset usually shows, and the fault it is for.

Presets are tried on it before they are shipped, and by whoever changes one: nothing is recorded, so
nobody's data is, and the same seed makes the same samples. It is calmer than most real series and
its faults are plain, so it says that a preset does what it is for, not how well it does anywhere.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from anomaly.backtest.events import Event
from anomaly.detectors import Floats
from anomaly.panel import Block
from anomaly.presets import PRESETS, histories_of
from anomaly.settings import PositiveSeconds, QuerySettings
from watchkeeper.configuration import Settings

DAY_SECONDS = 86_400.0
BEGIN_SECONDS = 1_750_032_000.0
"""A midnight of UTC."""

LEARNED_SECONDS = 6 * 3_600.0
"""What a service has when it judges the first sample: it was installed this morning."""

SERIES = 12
FAULTY_EACH = 2
"""Every second series has a fault a day; of the others every alarm is false."""

CARRIED_SHARE = 0.7
"""Of the noise of one sample is still in the next one, as in most averages over minutes."""


class MadeFault(Settings):
    """What goes wrong: the value moves to ``value`` within ``takes``, and is back after ``lasts``.

    Attributes:
        what: it is, in words.
    """

    what: str
    value: float
    takes: PositiveSeconds
    lasts: PositiveSeconds


class MadeSeries(Settings):
    """What the series of a query look like, in their unit.

    Attributes:
        level: around which they move; that of each series is up to a fifth higher or lower.
        daily: how far they swing over a day.
        noise: standard deviation of what comes on top, with a memory of some samples.
    """

    level: float
    daily: Annotated[float, Field(ge=0)] = 0.0
    noise: Annotated[float, Field(ge=0)] = 0.0
    fault: MadeFault


SHORTEST_MADE_DAYS = 0.5
"""Less has no room for the longest fault and quiet time around it."""


def made_series() -> dict[str, MadeSeries]:
    """Return what the series of every preset's queries look like."""
    return {
        name: MadeSeries.model_validate(one)
        for preset in PRESETS
        for name, one in histories_of(preset).items()
    }


def made_history(
    query: str, settings: QuerySettings, like: MadeSeries, *, days: float, seed: int
) -> tuple[Block, list[Event]]:
    """Return samples of ``SERIES`` series, and the faults in them.

    Args:
        days: to be judged; what is learned before comes on top.
        seed: the same one gives the same samples, whichever other queries there are.
    """
    rng = np.random.default_rng([seed, *query.encode()])
    samples = round((LEARNED_SECONDS + days * DAY_SECONDS) / settings.step)
    times: Floats = BEGIN_SECONDS + settings.step * np.arange(samples, dtype=np.float64)
    keys = tuple((("instance", f"made-{at:02d}"),) for at in range(SERIES))
    levels = like.level * rng.uniform(0.8, 1.2, SERIES)[:, None]
    swing = like.daily * np.sin(2 * np.pi * (times / DAY_SECONDS + rng.uniform(size=(SERIES, 1))))
    usual = levels + swing
    noise = like.noise * carried(rng.normal(size=(SERIES, samples)))
    # What falls to a tenth has a tenth of the noise; what rises keeps its own.
    quiet = min(1.0, abs(like.fault.value / like.level))
    events = []
    for row in range(0, SERIES, FAULTY_EACH):
        for begin in beginnings(like.fault, days, rng):
            share = course(like.fault, times - begin)
            usual[row] += share * (like.fault.value - usual[row])
            noise[row] *= 1 - share * (1 - quiet)
            lasted = begin + like.fault.lasts
            events.append(Event(begin, lasted, query, keys[row], like.fault.what))
    valid = settings.valid_range
    values = np.clip(usual + noise, valid.minimum, valid.maximum)
    return Block(keys, times.tolist(), values), events


def carried(noise: Floats) -> Floats:
    """Return noise of the same spread that remembers, along the last axis."""
    fresh = np.sqrt(1 - CARRIED_SHARE**2)
    found = noise.copy()
    for at in range(1, noise.shape[-1]):
        found[..., at] = CARRIED_SHARE * found[..., at - 1] + fresh * noise[..., at]
    return found


def beginnings(fault: MadeFault, days: float, rng: np.random.Generator) -> list[float]:
    """Return when the faults of a series begin: one in each whole day, or one in all."""
    count = max(1, int(days))
    room = days * DAY_SECONDS / count - fault.lasts
    first = BEGIN_SECONDS + LEARNED_SECONDS
    stretch = days * DAY_SECONDS / count
    return [first + at * stretch + float(rng.uniform(0.1, 0.9)) * room for at in range(count)]


def course(fault: MadeFault, since_begin: Floats) -> Floats:
    """Return how far on the way to its value a fault is, in [0, 1], at times since it began."""
    under_way = (since_begin >= 0) & (since_begin <= fault.lasts)
    return np.where(under_way, np.minimum(since_begin / fault.takes, 1.0), 0.0)
