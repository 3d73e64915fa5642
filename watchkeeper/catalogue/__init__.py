"""The one list of metrics: every name, type, unit and help text the stack exposes or queries.

One module a family; dashboards, rules and documentation are checked against it.
"""

from __future__ import annotations

from importlib import import_module

from watchkeeper.catalogue.metric import Kind, Metric

FAMILIES = (
    "host",
    "postgres",
    "redis",
    "http",
    "process",
    "tasks",
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
        module = import_module(f"{__name__}.{family}")
        for metric in (value for value in vars(module).values() if isinstance(value, Metric)):
            if metric.name in found:
                raise ValueError(f"{metric.name} is catalogued twice, again in {family}")
            found[metric.name] = metric
    return found


__all__ = ["FAMILIES", "Kind", "Metric", "every_metric"]
