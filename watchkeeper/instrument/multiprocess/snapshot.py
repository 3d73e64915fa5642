"""What a registry has counted, as a report of what is new in it."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import Exemplar

from watchkeeper.instrument.multiprocess.report import (
    Described,
    ExemplarValue,
    Report,
    SeriesName,
)

CUMULATIVE = frozenset({"counter", "histogram", "summary"})
"""Kinds whose samples only grow; of all others the present value counts."""


def take(
    registry: CollectorRegistry, told: Mapping[SeriesName, float], *, is_first: bool = True
) -> tuple[dict[SeriesName, float], Report]:
    """Return the cumulative values of ``registry`` now, and the report of what is new in them.

    Args:
        registry: what to report.
        told: the cumulative values at the last report that was taken, or those inherited.
        is_first: whether to tell of series that did not grow, so that they are known of.
    """
    values: dict[SeriesName, float] = {}
    report = Report()
    for metric in registry.collect():
        report.families[metric.name] = Described(metric.type, metric.documentation)
        for sample in metric.samples:
            if sample.name.endswith("_created") and metric.type in CUMULATIVE:
                continue  # the time a series began in one worker says nothing about the sum
            name = SeriesName(metric.name, sample.name, tuple(sorted(sample.labels.items())))
            if metric.type not in CUMULATIVE:
                report.standing[name] = sample.value
                continue
            values[name] = sample.value
            before = told.get(name)
            grown = sample.value - (before or 0.0)
            # One that fell was started again, like a series of a restarted process.
            added = grown if grown >= 0 else sample.value
            if added or before is None or is_first:
                report.added[name] = added
            if added and sample.exemplar is not None:
                report.exemplars[name] = _exemplar_value(sample.exemplar)
    return values, report


def _exemplar_value(exemplar: Exemplar) -> ExemplarValue:
    timestamp = None if exemplar.timestamp is None else float(exemplar.timestamp)
    return ExemplarValue(dict(exemplar.labels), exemplar.value, timestamp)
