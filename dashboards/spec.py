"""What a dashboard is: purpose, variables, rows of panels, queries, units and thresholds.

Nothing here knows Grafana or the console; both are drawn from it. Where a panel lies is computed
(``dashboards.layout``), never written down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from watchkeeper.catalogue import Metric


class Unit(StrEnum):
    """How a value is written, by Grafana's id; every one is a base unit of the catalogue."""

    PLAIN = "none"
    COUNT = "short"
    SECONDS = "s"
    BYTES = "bytes"
    RATIO = "percentunit"
    BYTES_PER_SECOND = "Bps"
    REQUESTS_PER_SECOND = "reqps"
    OPERATIONS_PER_SECOND = "ops"
    EVENTS_PER_SECOND = "cps"


class Level(StrEnum):
    """How a value is judged, mildest first."""

    OK = "ok"
    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Threshold:
    """From ``at`` upwards, in the panel's unit, a value is judged ``level``."""

    at: float
    level: Level


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How values are judged: ``base`` below the first step; steps ascend."""

    base: Level = Level.OK
    steps: tuple[Threshold, ...] = ()

    def __post_init__(self) -> None:
        ats = [step.at for step in self.steps]
        if ats != sorted(set(ats)):
            raise ValueError(f"threshold steps must ascend, got {ats}")

    def judge(self, value: float) -> Level:
        """Return the level of ``value``; the caller has checked that it is a number."""
        passed = [step.level for step in self.steps if value >= step.at]
        return passed[-1] if passed else self.base


UNJUDGED = Thresholds()


def rising(**levels: float) -> Thresholds:
    """Judge larger as worse, for example ``rising(notice=0.5, warning=1, critical=2)``."""
    steps = (Threshold(at, Level(name)) for name, at in levels.items())
    return Thresholds(Level.OK, tuple(sorted(steps, key=lambda step: step.at)))


def at_least(minimum: float, *, otherwise: Level = Level.CRITICAL) -> Thresholds:
    """Judge anything below ``minimum`` as ``otherwise``."""
    return Thresholds(otherwise, (Threshold(minimum, Level.OK),))


class Role(StrEnum):
    """What a query's series are in a time series panel."""

    LINE = "line"
    EXPECTED = "expected"
    LOWER = "lower"
    UPPER = "upper"
    SCORE = "score"


@dataclass(frozen=True, slots=True)
class Silence:
    """Why a query may have no answer though nothing is wrong with it.

    Args:
        until: what ends it, in words that go on after "Shows when".
        filled_by: the fault or the equipment that ends it in a test; every panel's has one.
    """

    until: str
    filled_by: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression.

    Args:
        expression: may use ``$variables`` of the dashboard and ``$__rate_interval``.
        legend: names a series; ``{{label}}`` is filled from its labels.
        role: how a time series panel draws it.
        silence: why no answer is no trouble (no denials, no standby); None where there must be one.
    """

    expression: str
    legend: str = ""
    role: Role = Role.LINE
    silence: Silence | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A way to the dashboard that says more."""

    title: str
    dashboard: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What every panel has.

    Args:
        title: what is measured, in a few words.
        description: what to look for and what it means; every panel has one.
        queries: in drawing order.
        repeat: the variable for each of whose values the panel is drawn once.
        is_vital: also drawn on the console's first page.
        runbook: name of the runbook that says what to do when its threshold is crossed.
    """

    title: str
    description: str
    queries: tuple[Query, ...]
    unit: Unit = Unit.COUNT
    thresholds: Thresholds = UNJUDGED
    links: tuple[Link, ...] = ()
    repeat: str | None = None
    is_vital: bool = False
    runbook: str | None = None

    @property
    def silence(self) -> Silence | None:
        """Why it may be empty; None when some query of it has to answer."""
        silences = [query.silence for query in self.queries]
        return silences[0] if all(silences) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat(Panel):
    """One number now, judged by its thresholds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge(Panel):
    """One number now, against a maximum in the panel's unit."""

    maximum: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSeries(Panel):
    """Lines over time; ``stacked`` fills them on top of each other."""

    stacked: bool = False
    minimum: float | None = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap(Panel):
    """How often each size of a value occurred over time.

    Its one query answers a histogram's buckets by ``le``; the drawing takes them apart.
    """


@dataclass(frozen=True, slots=True)
class State:
    """What a value stands for, in a word, and how it is judged."""

    value: float
    word: str
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTimeline(Panel):
    """Which state each series was in over time; a value that is no state is drawn as a gap."""

    states: tuple[State, ...]


UP_OR_DOWN = (State(0, "down", Level.CRITICAL), State(1, "up", Level.OK))
"""The states of every metric that says whether something answers."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: a label, or the value of the query at position ``query``."""

    title: str
    label: str | None = None
    query: int | None = None
    unit: Unit = Unit.PLAIN

    def __post_init__(self) -> None:
        if (self.label is None) == (self.query is None):
            raise ValueError(f"column {self.title!r} shows either a label or a query's value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Panel):
    """Rows now, one for each series; queries are joined on their labels.

    ``sort_by`` is the title of the column that orders it, largest first unless ``is_ascending``.
    """

    columns: tuple[Column, ...]
    sort_by: str
    is_ascending: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of a dashboard: the values of ``label`` on ``metric``.

    Args:
        name: as queries write it after ``$``.
        title: shown to the reader.
        within: a matcher over variables before it, so that choices cascade.
        is_optional: series without the label are watched all the same, as part of "all".
    """

    name: str
    title: str
    metric: Metric
    label: str
    within: str = ""
    is_optional: bool = False

    @property
    def series(self) -> str:
        """The selector whose label values are offered."""
        return f"{self.metric}{{{self.within}}}" if self.within else str(self.metric)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels that answers one question.

    Args:
        uid: stable for ever; links and bookmarks hold it.
        purpose: the question it answers, in a sentence.
        see_also: uids of the dashboards to go on to.
        window: how far back it looks when opened, as in ``now-1h``.
        refresh: how often it is drawn again.
    """

    uid: str
    title: str
    purpose: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    see_also: tuple[str, ...] = ()
    folder: str = "Watchkeeper"
    window: str = "1h"
    refresh: str = "10s"
    tags: tuple[str, ...] = field(default=("watchkeeper",))

    def panels(self) -> tuple[Panel, ...]:
        """Return every panel in reading order."""
        return tuple(panel for row in self.rows for panel in row.panels)
