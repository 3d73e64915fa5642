"""The seam of the PostgreSQL collector: one question, and what its rows mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from agent.family import Family
from agent.postgres.session import Row
from agent.postgres.versions import OLDEST_VERSION
from watchkeeper.catalogue import Metric

RowsToFamilies = Callable[[Sequence[Row], str], Iterator[Family]]


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask, and how the answer becomes families.

    Attributes:
        name: the ``collector`` label of ``pg_scrape_collector_success``, postgres_exporter's where
            it has one.
        sql: the statement, with words of ``agent/postgres/versions.py`` in braces.
        families: of the rows and the ``server`` label.
        since: the first server_version_num that can answer it.
        top: how many rows at most, where the statement says so.
        needs: a word without which it cannot be put; empty when it always can.
    """

    name: str
    sql: str
    families: RowsToFamilies
    since: int = OLDEST_VERSION
    top: int = 0
    needs: str = ""

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
