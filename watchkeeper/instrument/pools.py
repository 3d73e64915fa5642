"""Client-side connection pools: what psycopg_pool knows, under OpenTelemetry's names."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol, TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from watchkeeper.catalogue import http
from watchkeeper.instrument.buckets import DATABASE_SECONDS
from watchkeeper.instrument.guard import Guard

ConnectionT_co = TypeVar("ConnectionT_co", covariant=True)


class Pool(Protocol[ConnectionT_co]):
    """What psycopg_pool.ConnectionPool offers and we use."""

    name: str

    def get_stats(self) -> dict[str, int]:
        """Return the pool's counters and sizes."""

    def connection(self) -> AbstractContextManager[ConnectionT_co]:
        """Return a context that holds one connection."""


class PoolMetrics(Collector):
    """Connections by state, callers waiting, time-outs, and the time callers waited."""

    def __init__(self, service: str, registry: CollectorRegistry, guard: Guard) -> None:
        self._service = service
        self._guard = guard
        self._pools: list[Pool[object]] = []
        self._wait = http.POOL_WAIT.histogram(registry, DATABASE_SECONDS)
        registry.register(self)

    def watch(self, pool: Pool[object]) -> None:
        """Report the state of ``pool`` from now on, under its own name."""
        self._pools.append(pool)

    @contextmanager
    def connection(self, pool: Pool[ConnectionT_co]) -> Iterator[ConnectionT_co]:
        """Hold one connection of ``pool``; the time until it was there is measured, also when
        the pool gave up.
        """
        with ExitStack() as stack:
            started = time.perf_counter()
            try:
                connection = stack.enter_context(pool.connection())
            finally:
                waited_seconds = time.perf_counter() - started
                with self._guard.around("pools"):
                    self._wait.labels(self._service, pool.name).observe(waited_seconds)
            yield connection

    def describe(self) -> Iterable[Metric]:
        """Return the families without asking any pool; called on registration."""
        return self._families()

    def collect(self) -> Iterable[Metric]:
        """Return the state of every watched pool now."""
        families = self._families()
        for pool in self._pools:
            with self._guard.around("pools"):
                self._add(pool, *families)
        return families

    def _families(
        self,
    ) -> tuple[GaugeMetricFamily, GaugeMetricFamily, GaugeMetricFamily, CounterMetricFamily]:
        count, most, pending, timeouts = (
            http.POOL_CONNECTIONS,
            http.POOL_MAX,
            http.POOL_PENDING,
            http.POOL_TIMEOUTS,
        )
        return (
            GaugeMetricFamily(count.name, count.help, labels=count.labels),
            GaugeMetricFamily(most.name, most.help, labels=most.labels),
            GaugeMetricFamily(pending.name, pending.help, labels=pending.labels),
            CounterMetricFamily(timeouts.name, timeouts.help, labels=timeouts.labels),
        )

    def _add(
        self,
        pool: Pool[object],
        count: GaugeMetricFamily,
        most: GaugeMetricFamily,
        pending: GaugeMetricFamily,
        timeouts: CounterMetricFamily,
    ) -> None:
        stats = pool.get_stats()
        labels = (self._service, pool.name)
        idle = stats.get("pool_available", 0)
        count.add_metric((*labels, "idle"), idle)
        count.add_metric((*labels, "used"), max(0, stats.get("pool_size", 0) - idle))
        most.add_metric(labels, stats.get("pool_max", 0))
        pending.add_metric(labels, stats.get("requests_waiting", 0))
        # psycopg_pool leaves counters that never moved out of its statistics.
        timeouts.add_metric(labels, stats.get("requests_errors", 0))
