"""The process about itself: CPU, memory and its limit, threads, garbage collection."""

from __future__ import annotations

import threading

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from watchkeeper.catalogue import process
from watchkeeper.instrument.gc_pauses import GcPauses
from watchkeeper.instrument.memory_limit import memory_limit_bytes


def watch_process(
    service: str, registry: CollectorRegistry, *, declared_memory_bytes: int | None = None
) -> None:
    """Add the process families to ``registry``.

    Args:
        service: the application's name.
        registry: where the families go; once a registry.
        declared_memory_bytes: what the application's configuration allows it, if anything.
    """
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    GcPauses(registry)
    process.THREADS.gauge(registry).labels(service).set_function(threading.active_count)
    limit_bytes = memory_limit_bytes(declared_memory_bytes)
    if limit_bytes is not None:
        process.MEMORY_LIMIT.gauge(registry).set(limit_bytes)
