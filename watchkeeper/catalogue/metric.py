"""What the catalogue says of one metric, and how to make an instrument of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Kind(StrEnum):
    """Prometheus' metric types, as in a TYPE line."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"
    UNTYPED = "untyped"


@dataclass(frozen=True, slots=True)
class Metric:
    """One family: its exposed name (counters with ``_total`` where they have it), type and unit.

    ``unit`` is a base unit (``seconds``, ``bytes``, ``ratio``) or empty for plain counts and
    states. ``str(metric)`` is the name, so that queries are written with f-strings.
    """

    name: str
    kind: Kind
    unit: str
    help: str
    labels: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name

    def __hash__(self) -> int:
        # Of the name alone: metrics are keys wherever something is collected.
        return hash(self.name)

    @property
    def sum(self) -> str:
        """The name of a histogram's sum series."""
        return f"{self.name}_sum"

    @property
    def count(self) -> str:
        """The name of a histogram's count series."""
        return f"{self.name}_count"

    @property
    def bucket(self) -> str:
        """The name of a histogram's bucket series."""
        return f"{self.name}_bucket"

    def counter(self, registry: CollectorRegistry) -> Counter:
        """Return a new counter of this name in ``registry``."""
        from prometheus_client import Counter  # noqa: PLC0415  # the agent names metrics without it

        return Counter(self.name, self.help, self.labels, registry=registry)

    def gauge(self, registry: CollectorRegistry) -> Gauge:
        """Return a new gauge of this name in ``registry``."""
        from prometheus_client import Gauge  # noqa: PLC0415  # the agent names metrics without it

        return Gauge(self.name, self.help, self.labels, registry=registry)

    def histogram(self, registry: CollectorRegistry, buckets: Sequence[float]) -> Histogram:
        """Return a new histogram of this name in ``registry`` with the given upper bounds."""
        from prometheus_client import Histogram  # noqa: PLC0415  # the agent names metrics without it

        return Histogram(self.name, self.help, self.labels, registry=registry, buckets=buckets)


def counter(name: str, help_: str, labels: Sequence[str] = (), *, unit: str = "") -> Metric:
    """Describe a counter."""
    return Metric(name, Kind.COUNTER, unit, help_, tuple(labels))


def gauge(name: str, help_: str, labels: Sequence[str] = (), *, unit: str = "") -> Metric:
    """Describe a gauge."""
    return Metric(name, Kind.GAUGE, unit, help_, tuple(labels))


def untyped(name: str, help_: str, labels: Sequence[str] = ()) -> Metric:
    """Describe a metric whose exporter declares no type."""
    return Metric(name, Kind.UNTYPED, "", help_, tuple(labels))


def summary(name: str, help_: str, labels: Sequence[str] = ()) -> Metric:
    """Describe a summary; its quantiles carry the further label ``quantile``."""
    return Metric(name, Kind.SUMMARY, "", help_, tuple(labels))


def histogram(name: str, help_: str, labels: Sequence[str] = (), *, unit: str = "") -> Metric:
    """Describe a histogram."""
    return Metric(name, Kind.HISTOGRAM, unit, help_, tuple(labels))
