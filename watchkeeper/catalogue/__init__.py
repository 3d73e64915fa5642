"""The one list of metrics: every name, type, unit and help text the stack exposes or queries.

One module a family; dashboards, rules and documentation are checked against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import ModuleType

from watchkeeper.catalogue.metric import Kind, Metric

FAMILIES = (
    "host",
    "host_clock",
    "host_hardware",
    "host_sensors",
    "host_power",
    "systemd",
    "containers",
    "named_processes",
    "textfile",
    "postgres",
    "postgres_depth",
    "mysql",
    "redis",
    "redis_cluster",
    "rabbitmq",
    "http",
    "probes",
    "process",
    "tasks",
    "celery",
    "cache",
    "anomaly",
    "watchkeeper",
    "prometheus",
)
"""Modules of this package; the order is the order of the documentation."""


def every_metric() -> dict[str, Metric]:
    """Return all metrics by exposed name; raise ValueError when a name is catalogued twice."""
    found: dict[str, Metric] = {}
    for family in FAMILIES:
        for metric in metrics_of(import_module(f"{__name__}.{family}")):
            if found.get(metric.name, metric) is not metric:
                raise ValueError(f"{metric.name} is catalogued twice, again in {family}")
            found[metric.name] = metric
    return found


def metrics_of(module: ModuleType) -> Iterator[Metric]:
    """Yield the metrics of one family's module: its constants, and the values of its tables."""
    for value in vars(module).values():
        if isinstance(value, Metric):
            yield value
        elif isinstance(value, Mapping):
            yield from (entry for entry in value.values() if isinstance(entry, Metric))


__all__ = ["FAMILIES", "Kind", "Metric", "every_metric", "metrics_of"]
