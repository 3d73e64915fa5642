"""When a limit is reached: what a forecast says of each series, and how it is put to people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anomaly.detectors import Flags
from anomaly.forecast import Matrix
from anomaly.forecast.outlook import Outlook, reached_by
from anomaly.forecast.settings import ForecastSettings, Side
from anomaly.panel import SeriesKey

FIRST, MEDIAN, LAST = 0.1, 0.5, 0.9
"""The quantiles of the futures that a warning and its sentence are about."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """One series and its limit.

    Attributes:
        now: the newest value.
        seconds_to_limit: by quantile, when that share of the futures is at the limit; infinite
            where it is not within the horizon.
        forecaster: the one it was forecast by; ``errors`` are the mean absolute errors of all that
            were tried on its own past, in its unit.
        warns: the limit is near, and almost every future reaches it.
    """

    key: SeriesKey
    now: float
    seconds_to_limit: Mapping[float, float]
    forecaster: str
    errors: Mapping[str, float]
    warns: bool

    @property
    def text(self) -> str:
        """Return the labels as a selector, to be read by people."""
        return "{" + ", ".join(f'{name}="{value}"' for name, value in self.key) + "}"


def capacities_of(
    keys: Sequence[SeriesKey],
    newest: Matrix,
    outlook: Outlook,
    settings: ForecastSettings,
) -> list[Capacity]:
    """Return what a forecast says of the series it says anything of.

    Args:
        newest: the last value of each series, NaN where it has none now.
    """
    reached = reached_by(outlook, settings.limit, settings.comes)
    found = []
    for row in np.flatnonzero(told(outlook, newest)).tolist():
        seconds = {quantile: float(at[row] * settings.step) for quantile, at in reached.items()}
        if _is_at_limit(float(newest[row]), settings):
            seconds = dict.fromkeys(seconds, 0.0)
        errors = {
            name: float(outlook.error[row, at])
            for at, name in enumerate(outlook.names)
            if math.isfinite(outlook.error[row, at])
        }
        found.append(
            Capacity(
                keys[row],
                float(newest[row]),
                seconds,
                outlook.names[outlook.forecaster[row]],
                errors,
                warns=seconds[MEDIAN] <= settings.warn_within and math.isfinite(seconds[LAST]),
            )
        )
    return found


def told(outlook: Outlook, newest: Matrix) -> Flags:
    """Return which series there is something to say of: alive, forecast, and tried."""
    return (
        np.isfinite(newest) & np.isfinite(outlook.median[:, 0]) & np.isfinite(outlook.lower[:, 0])
    )


def _is_at_limit(value: float, settings: ForecastSettings) -> bool:
    if settings.comes is Side.RISES:
        return value >= settings.limit
    return value <= settings.limit


def sentence(capacity: Capacity, settings: ForecastSettings) -> str:
    """Return when the limit is reached, in words."""
    seconds = capacity.seconds_to_limit
    if seconds[MEDIAN] == 0:
        return f"is at its limit of {settings.limit:g}"
    if math.isinf(seconds[MEDIAN]):
        return f"does not reach {settings.limit:g} within {in_words(settings.horizon)}"
    first, last = seconds[FIRST], seconds[LAST]
    latest = "later" if math.isinf(last) else in_words(last)
    return (
        f"reaches {settings.limit:g} in {in_words(seconds[MEDIAN])}"
        f" (eight in ten futures: {in_words(first)} to {latest})"
    )


def in_words(seconds: float) -> str:
    """Return a duration as people say it."""
    hours = seconds / 3_600
    if hours < 1:
        return f"{seconds / 60:.0f} min"
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"
