"""The scheduled forecasts: read what was, look ahead, keep what was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from anomaly.backtest.samples import joined
from anomaly.forecast.capacity import Capacity, capacities_of
from anomaly.forecast.outlook import look_ahead
from anomaly.forecast.settings import ForecastSettings
from anomaly.panel import Block
from anomaly.source import RangeReader, grid_end_seconds, read_blocks
from watchkeeper.clock import Clock
from watchkeeper.errors import UpstreamError
from watchkeeper.logs import get_logger

log = get_logger(__name__)

ALIVE_SAMPLES = 2
"""A series without a sample among so many of the newest is gone: nothing is said of it."""

MISSED_RUNS = 4
"""What is older than so many intervals is no forecast any more."""


class OutOfTimeError(Exception):
    """A forecast took longer than it may; what was said before stands until it is too old."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was last found about the series of one query.

    Attributes:
        made_seconds: Unix time of it.
        left_out: series beyond the maximum.
    """

    name: str
    settings: ForecastSettings
    made_seconds: float
    capacities: tuple[Capacity, ...]
    left_out: int = 0


class Forecasts:
    """Makes forecasts and holds the newest of each.

    Args:
        open_reader: makes a client with a deadline in seconds.
        clock: for the time of a forecast and its budget.
        made: told name and outcome of each run: ``ok``, ``out-of-time`` or the reason of the error.
    """

    def __init__(
        self,
        open_reader: Callable[[float], RangeReader],
        clock: Clock,
        made: Callable[[str, str], None] = lambda _name, _outcome: None,
    ) -> None:
        self._open_reader = open_reader
        self._clock = clock
        self._made = made
        self._newest: dict[str, Forecast] = {}

    def newest(self) -> Sequence[Forecast]:
        """Return the newest forecast of each query that is not too old to be one."""
        now = self._clock.now().timestamp()
        return [
            one
            for one in list(self._newest.values())
            if now - one.made_seconds <= MISSED_RUNS * one.settings.every
        ]

    def make(self, name: str, settings: ForecastSettings) -> None:
        """Look ahead now; an answer that cannot be used is told and changes nothing."""
        deadline = self._clock.monotonic_seconds() + settings.budget

        def check_time() -> None:
            if self._clock.monotonic_seconds() > deadline:
                raise OutOfTimeError(name)

        try:
            self._newest[name] = self._forecast(name, settings, check_time)
            outcome = "ok"
        except UpstreamError as error:
            outcome = str(error.reason)
            log.warning("nothing to forecast from", extra={"forecast": name, "error": str(error)})
        except OutOfTimeError:
            outcome = "out-of-time"
            log.warning("forecast took too long", extra={"forecast": name})
        self._made(name, outcome)

    def _forecast(
        self, name: str, settings: ForecastSettings, check_time: Callable[[], None]
    ) -> Forecast:
        now = self._clock.now().timestamp()
        end = grid_end_seconds(now, settings.step, 0.0)
        samples = joined(
            read_blocks(
                self._open_reader(settings.budget),
                settings.expression,
                start_seconds=end - (int(settings.history / settings.step) - 1) * settings.step,
                end_seconds=end,
                step_seconds=settings.step,
                progress=lambda _ratio: check_time(),
            )
        )
        kept = Block(
            samples.keys[: settings.maximum_series],
            samples.times_seconds,
            samples.values[: settings.maximum_series],
        )
        left_out = len(samples.keys) - len(kept.keys)
        return Forecast(name, settings, now, capacities(kept, settings, check_time), left_out)


def capacities(
    samples: Block,
    settings: ForecastSettings,
    between: Callable[[], None] = lambda: None,
) -> tuple[Capacity, ...]:
    """Return what lies ahead of the series of a block; nothing for those that are gone."""
    if not samples.keys:
        return ()
    outlook = look_ahead(
        samples.values,
        settings.horizon_samples,
        period_samples=settings.period_samples,
        between=between,
    )
    recent = samples.values[:, -ALIVE_SAMPLES:]
    newest = np.where(np.isfinite(recent[:, -1]), recent[:, -1], recent[:, 0])
    return tuple(capacities_of(samples.keys, newest, outlook, settings))
