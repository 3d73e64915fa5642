"""Families as OTLP messages, by the specification's mapping from Prometheus.

opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics: a counter becomes a
monotonic cumulative sum without ``_total``, what has no type a gauge. Names and labels stay.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
    Summary,
    SummaryDataPoint,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from agent.family import Family
from agent.reading import Reading
from watchkeeper import __version__
from watchkeeper.catalogue import Kind
from watchkeeper.catalogue import Metric as Described

SCOPE = InstrumentationScope(name="watchkeeper-agent", version=__version__)

OTLP_INTEGERS, OTLP_COUNTS = range(-(2**63), 2**63), range(2**64)


def request_of(
    readings: Iterable[Reading], resource: Mapping[str, str]
) -> ExportMetricsServiceRequest:
    """Return the message that says all of ``readings``, of a machine described by ``resource``."""
    metrics = [metric for reading in readings for metric in metrics_of(reading)]
    scope = ScopeMetrics(scope=SCOPE, metrics=metrics)
    described = Resource(attributes=_attributes(resource.items()))
    return ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(resource=described, scope_metrics=[scope])]
    )


def metrics_of(reading: Reading) -> Iterator[Metric]:
    """Yield one metric for each that the families tell of."""
    by_metric: dict[str, list[Family]] = {}
    for family in reading.families:
        by_metric.setdefault(family.metric.name, []).append(family)
    for families in by_metric.values():
        yield _metric(families, reading.at_nanoseconds)


def _metric(families: Sequence[Family], at: int) -> Metric:
    described = families[0].metric
    metric = Metric(name=_name(described), description=described.help)
    if described.kind is Kind.HISTOGRAM:
        metric.histogram.CopyFrom(_histogram(families, at))
    elif described.kind is Kind.SUMMARY:
        metric.summary.CopyFrom(_summary(families, at))
    elif described.kind is Kind.COUNTER:
        metric.sum.CopyFrom(
            Sum(
                aggregation_temporality=AGGREGATION_TEMPORALITY_CUMULATIVE,
                is_monotonic=True,
                data_points=_points(families, at),
            )
        )
    else:
        metric.gauge.CopyFrom(Gauge(data_points=_points(families, at)))
    return metric


def _name(described: Described) -> str:
    is_counter = described.kind is Kind.COUNTER
    return described.name.removesuffix("_total") if is_counter else described.name


def _points(families: Sequence[Family], at: int) -> Iterator[NumberDataPoint]:
    for family in families:
        names = family.metric.labels + family.extra_labels
        for labels, value in family.samples:
            point = NumberDataPoint(
                attributes=_attributes(zip(names, labels, strict=True)), time_unix_nano=at
            )
            if isinstance(value, int) and value in OTLP_INTEGERS:
                point.as_int = value
            else:
                point.as_double = value
            yield point


def _attributes(pairs: Iterable[tuple[str, str]]) -> list[KeyValue]:
    # An empty label says the same as none, in Prometheus.
    return [
        KeyValue(key=name, value=AnyValue(string_value=_text(value)))
        for name, value in pairs
        if value
    ]


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode("utf-8")


Labels = frozenset[tuple[str, str]]

BOUNDED = ("_bucket", "")
"""Ends of the names of a histogram's and a summary's samples that have a bound."""


class _Parts(NamedTuple):
    """What a histogram or summary says of one set of labels."""

    by_bound: dict[float, float]
    totals: dict[str, float]


def _parts(families: Sequence[Family], bound_label: str) -> dict[Labels, _Parts]:
    """Return what stands under each set of labels, the one that names a bound left out.

    Labels are told apart by name: other programs' text files put them in any order, and each part
    of a histogram may have them in another.
    """
    found: dict[Labels, _Parts] = {}
    for family in families:
        names = family.metric.labels + family.extra_labels
        for values, value in family.samples:
            told = {name: text for name, text in zip(names, values, strict=True) if text}
            bound = told.pop(bound_label, None) if family.suffix in BOUNDED else None
            parts = found.setdefault(frozenset(told.items()), _Parts({}, {}))
            if bound is None:
                parts.totals[family.suffix] = value
            else:
                parts.by_bound[float(bound)] = value
    return found


def _histogram(families: Sequence[Family], at: int) -> Histogram:
    points = []
    for labels, (by_bound, totals) in _parts(families, "le").items():
        if by_bound:
            by_bound.setdefault(math.inf, totals.get("_count", 0))
        bounds = sorted(by_bound)
        # Protobuf takes no negative count, whatever somebody's text file says.
        cumulative = list(accumulate((_count(by_bound[bound]) for bound in bounds), max))
        points.append(
            HistogramDataPoint(
                attributes=_attributes(sorted(labels)),
                time_unix_nano=at,
                count=cumulative[-1] if cumulative else _count(totals.get("_count", 0)),
                sum=totals.get("_sum", 0.0),
                explicit_bounds=[bound for bound in bounds if math.isfinite(bound)],
                bucket_counts=_differences(cumulative),
            )
        )
    return Histogram(aggregation_temporality=AGGREGATION_TEMPORALITY_CUMULATIVE, data_points=points)


def _count(value: float) -> int:
    return int(min(max(value, 0), OTLP_COUNTS.stop - 1))


def _differences(cumulative: Sequence[int]) -> list[int]:
    return [value - earlier for earlier, value in pairwise([0, *cumulative])]


def _summary(families: Sequence[Family], at: int) -> Summary:
    points = []
    for labels, (by_quantile, totals) in _parts(families, "quantile").items():
        quantiles = [
            SummaryDataPoint.ValueAtQuantile(quantile=quantile, value=value)
            for quantile, value in sorted(by_quantile.items())
        ]
        points.append(
            SummaryDataPoint(
                attributes=_attributes(sorted(labels)),
                time_unix_nano=at,
                count=_count(totals.get("_count", 0)),
                sum=totals.get("_sum", 0.0),
                quantile_values=quantiles,
            )
        )
    return Summary(data_points=points)
