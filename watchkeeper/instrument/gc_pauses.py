"""How long the garbage collector stopped the program."""

from __future__ import annotations

import gc
import time
from bisect import bisect_left
from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from watchkeeper.catalogue import process
from watchkeeper.instrument.buckets import GC_PAUSE_SECONDS

GENERATIONS = 3


class GcPauses(Collector):
    """A histogram of collection pauses by generation.

    The collector may run inside any allocation, also one made while a metric's lock is held. So
    the callback takes no lock and uses no metric object: it adds to plain lists, which is safe
    because collections never overlap.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._started = 0.0
        self._counts = [[0] * (len(GC_PAUSE_SECONDS) + 1) for _ in range(GENERATIONS)]
        self._sums = [0.0] * GENERATIONS
        gc.callbacks.append(self._on_gc)
        registry.register(self)

    def close(self) -> None:
        """Stop listening to the collector."""
        gc.callbacks.remove(self._on_gc)

    def describe(self) -> Iterable[Metric]:
        """Return the family without samples; called on registration."""
        return [self._family()]

    def collect(self) -> Iterable[Metric]:
        """Return the pauses so far."""
        family = self._family()
        for generation in range(GENERATIONS):
            total = 0
            buckets: list[tuple[str, float]] = []
            bounds = (*GC_PAUSE_SECONDS, float("inf"))
            for bound, count in zip(bounds, list(self._counts[generation]), strict=True):
                total += count
                buckets.append(("+Inf" if bound == float("inf") else str(bound), total))
            family.add_metric([str(generation)], buckets, self._sums[generation])
        return [family]

    def _family(self) -> HistogramMetricFamily:
        metric = process.GC_PAUSE
        return HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)

    def _on_gc(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._started = time.perf_counter()
            return
        if not self._started:
            return  # we began to listen in the middle of this collection
        paused_seconds = time.perf_counter() - self._started
        generation = info["generation"]
        self._counts[generation][bisect_left(GC_PAUSE_SECONDS, paused_seconds)] += 1
        self._sums[generation] += paused_seconds
