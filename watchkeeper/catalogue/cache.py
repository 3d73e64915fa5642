"""Caches inside applications."""

from watchkeeper.catalogue.metric import counter, histogram

REQUESTS = counter(
    "cache_requests_total",
    "Cache look-ups by level (memory, redis) and result (hit, miss, error).",
    ("service", "cache", "level", "result"),
)
LATENCY = histogram(
    "cache_operation_seconds",
    "Duration of cache operations (get, set, delete).",
    ("service", "cache", "level", "operation"),
    unit="seconds",
)
