"""Which forecasts are made when, as the configuration changes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from anomaly.forecast.job import Forecast, Forecasts
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
        first_seconds: how long after it is wanted a forecast is first made.
    """

    def __init__(
        self, forecasts: Forecasts, jobs: Jobs, *, first_seconds: float = FIRST_SECONDS
    ) -> None:
        self._forecasts = forecasts
        self._jobs = jobs
        self._first_seconds = first_seconds
        self._scheduled: dict[str, ForecastSettings] = {}

    def follow(self, wanted: Mapping[str, ForecastSettings]) -> None:
        """Schedule what is wanted from now on, and no more what is not."""
        for name in [one for one in self._scheduled if wanted.get(one) != self._scheduled[one]]:
            self._jobs.remove(job_of(name))
            self._scheduled = {n: one for n, one in self._scheduled.items() if n != name}
        for name in [one for one in wanted if one not in self._scheduled]:
            settings = wanted[name]
            self._scheduled = {**self._scheduled, name: settings}
            self._jobs.every(
                settings.every,
                job_of(name),
                partial(self._forecasts.make, name, settings),
                slow_after_seconds=self._first_seconds,
            )

    def newest(self) -> list[Forecast]:
        """Return the newest forecasts of what is configured, as it is configured.

        One that was under way when it was taken out of the file may still be finished.
        """
        wanted = self._scheduled
        return [one for one in self._forecasts.newest() if wanted.get(one.name) == one.settings]
