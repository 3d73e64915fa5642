"""What a collector hands over: samples of one metric of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from watchkeeper.catalogue import Metric

LabelValues = tuple[str, ...]
Sample = tuple[LabelValues, float]
"""Label values in the order of the metric's label names, and the value."""


class Family(NamedTuple):
    """All samples of one metric from one run of a collector; nobody changes it once it is made.

    Attributes:
        metric: of the catalogue.
        samples: label values in the order of its labels and of ``extra_labels``, and the value.
        suffix: of the samples' name, for the parts of summaries and histograms.
        extra_labels: after the metric's own, such as ``quantile``.
    """

    metric: Metric
    samples: Sequence[Sample]
    suffix: str = ""
    extra_labels: tuple[str, ...] = ()


def single(metric: Metric, value: float, labels: LabelValues = ()) -> Family:
    """Return a family of one sample."""
    return Family(metric, [(labels, value)])


class Limited(NamedTuple):
    """Families within a cap, and how many series were cut to keep to it."""

    families: list[Family]
    series: int
    dropped: int


def limit_series(families: Iterable[Family], max_series: int) -> Limited:
    """Keep the first ``max_series`` (>= 0) series in the order they come, and count the rest."""
    kept: list[Family] = []
    series = dropped = 0
    for family in families:
        room = max_series - series
        if len(family.samples) > room:
            dropped += len(family.samples) - room
            family = family._replace(samples=family.samples[:room])  # noqa: PLW2901  # cut in place
        series += len(family.samples)
        if family.samples:
            kept.append(family)
    return Limited(kept, series, dropped)
