"""Moments marked on charts: where an annotation's expression begins to have an answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.annotations import Annotation
from dashboards.console import ranges
from dashboards.console.chart import Values
from dashboards.console.drawing import legend_of
from dashboards.console.ranges import Span
from dashboards.spec import Level
from watchkeeper.prometheus import PrometheusClient

MARKS = 60
"""Marks at most, the newest; more would be a curtain."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One moment: Unix seconds, what kind of thing, and which one."""

    at: float
    title: str
    text: str
    level: Level

    def as_json(self) -> dict[str, Any]:
        """Return what the browser's script reads."""
        return {"at": self.at, "title": self.title, "text": self.text, "level": str(self.level)}


def read(client: PrometheusClient, annotations: Sequence[Annotation], span: Span) -> list[Mark]:
    """Return the marks of the span, oldest first; raise UpstreamError as the client does."""
    found = [
        Mark(at, annotation.title, legend_of(annotation.text, one.labels), annotation.level)
        for annotation in annotations
        for one in ranges.read(client, annotation.expression, span)
        for at in beginnings(span.timestamps(), span.align(one))
    ]
    return sorted(found, key=lambda mark: mark.at)[-MARKS:]


def beginnings(timestamps: Sequence[float], values: Values) -> Iterator[float]:
    """Yield the times at which values begin; one that was there from the start began before."""
    for at, before, value in zip(timestamps[1:], values, values[1:], strict=False):
        if before is None and value is not None:
            yield at
