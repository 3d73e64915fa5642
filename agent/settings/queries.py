"""What of ``agent.yml`` is about questions of a user's own, as postgres_exporter's files put them.

The format is that of the file its option ``--extend.query-path`` takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from watchkeeper.catalogue import every_metric
from watchkeeper.configuration import DurationSeconds, ProblemAt, Settings

Name = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]

KINDS = {"GAUGE": "gauge", "COUNTER": "counter"}
"""Type of a metric by what the file calls it."""


def _statement(text: str) -> str:
    statement = text.strip().rstrip(";").rstrip()
    if not statement:
        raise ValueError("expected a statement that returns rows")
    return statement


class ColumnSettings(Settings):
    """What a column of the answer is.

    Attributes:
        usage: ``LABEL`` for a label, ``DISCARD`` for nothing, else the type of a metric.
        description: of the metric.
    """

    usage: Literal["LABEL", "DISCARD", "GAUGE", "COUNTER"]
    description: str = ""


class QuerySettings(Settings):
    """One statement, and what the columns of its answer are.

    Attributes:
        query: the statement.
        metrics: each column, with what it is.
        cache_seconds: it is asked no more often than that, nor than the slow interval.
        master: taken and without effect: each is put to the database we connect to, once.
    """

    query: Annotated[str, AfterValidator(_statement)]
    metrics: Annotated[tuple[dict[Name, ColumnSettings], ...], Field(min_length=1)]
    cache_seconds: Annotated[DurationSeconds, Field(ge=0, le=86400)] = 0.0
    master: bool = False

    @model_validator(mode="after")
    def _has_columns_to_tell_of(self) -> Self:
        names = [name for column in self.metrics for name in column]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ProblemAt(f"expected each column once, got {', '.join(twice)} twice", "metrics")
        if "server" in self.named("LABEL"):
            raise ProblemAt("the label `server` is there already: the server's address", "metrics")
        if not self.named(*KINDS):
            raise ProblemAt(f"expected a column that is a {' or a '.join(KINDS)}", "metrics")
        return self

    def named(self, *usages: str) -> list[str]:
        """Return the columns that are used in one of these ways."""
        return [name for name, column in self._columns().items() if column.usage in usages]

    def metrics_told(self, name: str) -> list[str]:
        """Return the metrics that the query of this name tells of."""
        return [f"{name}_{column}" for column in self.named(*KINDS)]

    def told(self, name: str) -> dict[str, Any]:
        """Return the argument of the collector for the query of this name."""
        columns = self._columns()
        metrics = [
            (column, KINDS[columns[column].usage], columns[column].description)
            for column in self.named(*KINDS)
        ]
        return {
            "name": name,
            "sql": self.query,
            "labels": self.named("LABEL"),
            "metrics": metrics,
            "interval_seconds": self.cache_seconds,
        }

    def _columns(self) -> Mapping[str, ColumnSettings]:
        return {name: column for one in self.metrics for name, column in one.items()}


def refuse_known(queries: Mapping[str, QuerySettings]) -> None:
    """Raise ProblemAt where a query would tell of a metric that the agent tells of by itself."""
    known = every_metric() if queries else {}
    for name, query in queries.items():
        if told := [metric for metric in query.metrics_told(name) if metric in known]:
            message = f"the agent tells of {', '.join(told)} already: leave that out, or rename it"
            raise ProblemAt(message, "queries", name)
