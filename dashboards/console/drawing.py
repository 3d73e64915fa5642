"""What a panel of a board shows: its queries answered, judged and put into words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dashboards.console import cells, ranges
from dashboards.console.cells import Cells
from dashboards.console.chart import Chart, Line
from dashboards.console.quantities import quantity
from dashboards.console.ranges import Span
from dashboards.expression import fill
from dashboards.spec import (
    Column,
    Gauge,
    HeatMap,
    Level,
    Panel,
    Role,
    Stat,
    StateTimeline,
    Table,
    TimeSeries,
)
from watchkeeper.prometheus import Labels, PrometheusClient, is_number

LINES = 20
"""Lines drawn at most; the rest would be one colour on top of another."""

ROWS = 50

STRIPS = 40
"""Strips of a state timeline at most: more do not fit a screen."""

_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a stat or gauge: its words, its level, and how full a gauge is (0 to 1)."""

    text: str
    level: Level | None
    fullness: float | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """A table's titles and rows; numbers are in words already."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


NONE, NO_DATA = "none", "no data"
"""Silence about what should not happen is good; silence about anything else is not."""


def figure_of(
    client: PrometheusClient,
    panel: Stat | Gauge,
    filling: Mapping[str, str],
    *,
    at: datetime | None = None,
) -> Figure:
    """Return the panel's number ``at`` a moment, by default now."""
    [query] = panel.queries
    samples = client.query(fill(query.expression, filling), at=at)
    values = [sample.value for sample in samples if is_number(sample.value)]
    if not values:
        return Figure(NONE, Level.OK) if query.silence else Figure(NO_DATA, None)
    value = values[0]
    judged = panel.thresholds.judge(value) if panel.thresholds.steps else None
    if isinstance(panel, Gauge):
        fullness = min(max(value / panel.maximum, 0.0), 1.0)
        return Figure(quantity(value, panel.unit), judged, fullness)
    return Figure(quantity(value, panel.unit), judged)


def grid_of(
    client: PrometheusClient,
    panel: Table,
    filling: Mapping[str, str],
    *,
    at: datetime | None = None,
) -> Grid:
    """Return the panel's rows ``at`` a moment, by default now.

    Its queries' values are joined where all labels are the same.
    """
    values: dict[frozenset[tuple[str, str]], dict[int, float]] = {}
    for position, query in enumerate(panel.queries):
        for sample in client.query(fill(query.expression, filling), at=at):
            key = frozenset((k, v) for k, v in sample.labels.items() if k != "__name__")
            values.setdefault(key, {})[position] = sample.value
    order = next(column for column in panel.columns if column.title == panel.sort_by)
    sign = -1 if panel.is_ascending else 1
    ranked = sorted(values.items(), key=lambda row: _rank(row[1], order, sign), reverse=True)
    return Grid(
        tuple(column.title for column in panel.columns),
        tuple(
            tuple(_cell(column, dict(labels), numbers) for column in panel.columns)
            for labels, numbers in ranked[:ROWS]
        ),
        tuple(column.query is not None for column in panel.columns),
    )


def _rank(numbers: Mapping[int, float], order: Column, sign: int) -> float:
    """Return where a row stands among others, the first highest; one without a number is last."""
    value = numbers.get(order.query if order.query is not None else 0, float("-inf"))
    return sign * value if is_number(value) else float("-inf")


def _cell(column: Column, labels: Labels, numbers: Mapping[int, float]) -> str:
    if column.query is not None:
        return quantity(numbers.get(column.query), column.unit)
    return labels.get(column.label or "", "")


def chart_of(
    client: PrometheusClient, panel: TimeSeries, filling: Mapping[str, str], span: Span
) -> Chart:
    """Return the panel's lines over the span."""
    lines = [
        Line(legend_of(query.legend, one.labels), span.align(one), query.role)
        for query in panel.queries
        for one in ranges.read(client, fill(query.expression, filling), span)
    ]
    edges = [line for line in lines if line.role is not Role.LINE]
    plain = [line for line in lines if line.role is Role.LINE]
    return Chart(
        span.timestamps(),
        (*edges, *plain[:LINES]),
        panel.unit,
        panel.thresholds.steps,
        stacked=panel.stacked,
    )


def cells_of(
    client: PrometheusClient, panel: HeatMap | StateTimeline, filling: Mapping[str, str], span: Span
) -> Cells:
    """Return the panel's strips over the span."""
    found = [
        (query, one)
        for query in panel.queries
        for one in ranges.read(client, fill(query.expression, filling), span)
    ]
    if isinstance(panel, HeatMap):
        buckets = {one.labels.get("le", ""): span.align(one) for _, one in found}
        return cells.of_buckets(span.timestamps(), buckets, panel.unit)
    strips = sorted((legend_of(query.legend, one.labels), span.align(one)) for query, one in found)[
        :STRIPS
    ]
    return cells.of_states(span.timestamps(), strips, panel.states)


def legend_of(template: str, labels: Labels) -> str:
    """Return ``template`` with each ``{{label}}`` filled, or the labels in words."""
    filled = _LABEL.sub(lambda match: labels.get(match[1], ""), template).strip()
    return filled or ranges.words_for(labels)


class Kind(StrEnum):
    """How a page asks for a panel: as part of a page, or as data for a chart."""

    STAT = "stat"
    GAUGE = "gauge"
    TABLE = "table"
    TIME_SERIES = "time-series"
    HEAT_MAP = "heat-map"
    STATE_TIMELINE = "state-timeline"

    @property
    def is_over_time(self) -> bool:
        """Whether the browser draws it from data; the others are parts of a page."""
        return self in (Kind.TIME_SERIES, Kind.HEAT_MAP, Kind.STATE_TIMELINE)


KINDS: dict[type[Panel], Kind] = {
    Stat: Kind.STAT,
    Gauge: Kind.GAUGE,
    Table: Kind.TABLE,
    TimeSeries: Kind.TIME_SERIES,
    HeatMap: Kind.HEAT_MAP,
    StateTimeline: Kind.STATE_TIMELINE,
}
