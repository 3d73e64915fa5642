"""Which forecasts are made when, as the configuration changes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from anomaly.forecast.job import Forecasts
from anomaly.forecast.settings import ForecastSettings
from anomaly.jobs import Jobs

FIRST_SECONDS = 20.0
"""After a start the scores come first."""


def job_of(forecast: str) -> str:
    """Return the name of the job; in brackets, so that no query can be called like it."""
    return f"(forecast) {forecast}"


class ForecastSchedule:
    """The jobs of the forecasts that are configured.

    Args:
        forecasts: makes them.
        jobs: the clock; forecasts wait for each other, and nothing else for them.
    """

    def __init__(self, forecasts: Forecasts, jobs: Jobs) -> None:
        self._forecasts = forecasts
        self._jobs = jobs
        self._scheduled: dict[str, ForecastSettings] = {}

    def follow(self, wanted: Mapping[str, ForecastSettings]) -> None:
        """Schedule what is wanted from now on, and no more what is not."""
        for name in [one for one in self._scheduled if wanted.get(one) != self._scheduled[one]]:
            self._jobs.remove(job_of(name))
            self._forecasts.forget(name)
            del self._scheduled[name]
        for name in [one for one in wanted if one not in self._scheduled]:
            settings = self._scheduled[name] = wanted[name]
            self._jobs.every(
                settings.every,
                job_of(name),
                partial(self._forecasts.make, name, settings),
                slow_after_seconds=FIRST_SECONDS,
            )
