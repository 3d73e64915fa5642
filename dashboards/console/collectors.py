"""The agents' collectors as their own metrics tell them."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.console.lights import Light
from watchkeeper.catalogue import Metric
from watchkeeper.catalogue import watchkeeper as own
from watchkeeper.prometheus import PrometheusClient, is_number


@dataclass(frozen=True, slots=True)
class Collector:
    """One collector of one agent; None where its agent did not say."""

    instance: str
    name: str
    succeeded: bool | None
    duration_seconds: float | None
    age_seconds: float | None
    series: float | None
    dropped_series: float | None

    @property
    def light(self) -> Light:
        """Good only when the last run is known to have succeeded and dropped nothing."""
        if self.succeeded is None:
            return Light.UNKNOWN
        if not self.succeeded:
            return Light.CRITICAL
        return Light.WARNING if self.dropped_series else Light.GOOD


def listed(client: PrometheusClient) -> list[Collector]:
    """Return every collector, troubled ones first; raise UpstreamError as the client does."""
    success = _by_collector(client, own.COLLECTOR_SUCCESS)
    duration = _by_collector(client, own.COLLECTOR_DURATION)
    age = _by_collector(client, own.COLLECTOR_LAST_SUCCESS)
    series = _by_collector(client, own.COLLECTOR_SERIES)
    dropped = _by_collector(client, own.COLLECTOR_DROPPED)
    found = [
        Collector(
            *key,
            None if key not in success else success[key] == 1,
            duration.get(key),
            age.get(key),
            series.get(key),
            dropped.get(key),
        )
        for key in sorted(success.keys() | duration.keys() | age.keys())
    ]
    return sorted(found, key=lambda one: one.light is Light.GOOD)


def _by_collector(client: PrometheusClient, metric: Metric) -> dict[tuple[str, str], float]:
    return {
        (sample.labels.get("instance", ""), sample.labels.get("collector", "?")): sample.value
        for sample in client.query(str(metric))
        if is_number(sample.value)
    }
