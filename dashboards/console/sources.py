"""Whom the console asks: the one place that knows every other service's address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from dashboards.console import anomalies, incidents, targets, work
from dashboards.console.reading import Reading
from dashboards.console.recent import RecentPrometheus
from dashboards.console.settings import ConsoleSettings
from dashboards.console.watch import Ask
from watchkeeper import addresses
from watchkeeper.peers import Peer
from watchkeeper.prometheus import PrometheusClient

OPEN_LIMIT = 100
RESOLVED_LIMIT = 20
"""How many incidents a page shows at most; the rest are in alerting's own list."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Clients of everything the console reads."""

    alerting: Peer
    anomaly: Peer
    prometheus: PrometheusClient
    parts: dict[str, Peer]

    @classmethod
    def connect(cls, settings: ConsoleSettings) -> Sources:
        """Return clients of the configured addresses; nothing is called yet."""
        timeout = settings.source_timeout_seconds
        return cls(
            Peer("alerting", timeout_seconds=timeout),
            Peer("anomaly", timeout_seconds=timeout),
            RecentPrometheus(addresses.url_of("prometheus"), timeout_seconds=timeout),
            {part: Peer(part, timeout_seconds=timeout) for part in settings.parts},
        )

    def watched(self, settings: Callable[[], ConsoleSettings]) -> dict[str, Ask]:
        """Return what is asked again and again, by the name of its reading."""
        return {
            "open": partial(incidents.listed, self.alerting, status="open", limit=OPEN_LIMIT),
            "resolved": partial(
                incidents.listed, self.alerting, status="resolved", limit=RESOLVED_LIMIT
            ),
            "switch": partial(work.switch, self.alerting),
            "queries": partial(anomalies.queries, self.anomaly),
            "series": partial(anomalies.listed, self.anomaly),
            "landscape": lambda: targets.survey(
                self.prometheus, recent_seconds=settings().recent_seconds
            ),
            **{_PART + part: peer.readiness for part, peer in self.parts.items()},
        }


_PART = "ready:"


def parts_in(readings: Mapping[str, Reading[Any]]) -> dict[str, Reading[dict[str, str]]]:
    """Return the readings that hold the readiness of a part of ours, by the part's name."""
    return {
        name.removeprefix(_PART): reading
        for name, reading in readings.items()
        if name.startswith(_PART)
    }
