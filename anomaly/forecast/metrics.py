"""What forecasts say, on /metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from anomaly.forecast.job import Forecast
from watchkeeper.catalogue import anomaly as catalogue


class ForecastCollector(Collector):
    """Reads the newest forecasts at the scrape; one that is too old has no sample.

    Args:
        newest: the forecasts that hold.
        now: the time of the scrape.
    """

    def __init__(
        self, newest: Callable[[], Sequence[Forecast]], now: Callable[[], datetime]
    ) -> None:
        self._newest = newest
        self._now = now

    def describe(self) -> list[GaugeMetricFamily]:
        """Return nothing, so that registering asks for no values."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the families of all forecasts."""
        to_limit, warning, age = (
            GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            for metric in (
                catalogue.FORECAST_TIME_TO_LIMIT,
                catalogue.FORECAST_WARNING,
                catalogue.FORECAST_AGE,
            )
        )
        for forecast in self._newest():
            age.add_metric((forecast.name,), self._now().timestamp() - forecast.made_seconds)
            for one in forecast.capacities:
                where = (forecast.name, one.text)
                for quantile, seconds in one.seconds_to_limit.items():
                    to_limit.add_metric((*where, f"{quantile:g}"), seconds)
                warning.add_metric(where, float(one.warns))
        yield from (to_limit, warning, age)
