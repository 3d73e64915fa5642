"""The seam of the database collectors: one question, and what its rows mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from agent.family import Family
from watchkeeper.catalogue import Metric

Row = Mapping[str, Any]
RowsToFamilies = Callable[[Sequence[Row], str], Iterator[Family]]


class Session(Protocol):
    """One connection to a server, read-only, with limits on all it does.

    Attributes:
        version: a number that grows with the server's version.
        words: what the words of our questions stand for on this server, as far as is known.
    """

    version: int
    words: Mapping[str, str]

    def learn(self) -> None:
        """Look at the server again, for what may change while we are connected."""

    def ask(self, sql: str) -> Sequence[Row]:
        """Return the rows of a query by column; raise UpstreamError."""

    @property
    def is_lost(self) -> bool:
        """Whether the connection can no longer be used."""

    def close(self) -> None:
        """Close the connection; harmless when it is closed already."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask, and how the answer becomes families.

    Attributes:
        name: the ``collector`` label of the metric of success, the exporter's where it has one.
        sql: the statement, with words of the session in braces.
        families: of the rows and the ``server`` label.
        since: the first version of the server that can answer it.
        top: how many rows at most, where the statement says so.
        needs: a word without which it cannot be put; empty when it always can.
        interval_seconds: a slow question is asked no more often than that.
    """

    name: str
    sql: str
    families: RowsToFamilies
    since: int = 0
    top: int = 0
    needs: str = ""
    interval_seconds: float = 0.0

    def statement(self, words: Mapping[str, str]) -> str:
        """Return the statement in the words of a server."""
        return self.sql.format(**words, top=self.top)


def by_column(metrics: Mapping[str, Metric], labels: Sequence[str] = ()) -> RowsToFamilies:
    """Return a function that makes one metric of each column.

    Args:
        metrics: by column. What a version does not have, or has no value for, is left out.
        labels: columns whose text makes the labels after ``server``.
    """

    def families(rows: Sequence[Row], server: str) -> Iterator[Family]:
        labelled = [((server, *(str(row[name] or "") for name in labels)), row) for row in rows]
        for column, metric in metrics.items():
            values = ((label, row.get(column)) for label, row in labelled)
            yield Family(metric, [(label, number(v)) for label, v in values if v is not None])

    return families


def number(value: object) -> float:
    """Return a column's value as a number; a time as Unix seconds."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, int | float):
        return value
    raise TypeError(f"expected a number or a time, got {type(value).__name__}")
