"""Questions of a user's own, put to a PostgreSQL server under the same limits as ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.family import Family, Sample
from agent.sql.question import Question, Row, number
from watchkeeper.catalogue import Kind, Metric
from watchkeeper.errors import Reason, UpstreamError

MAX_ROWS = 500
"""Of one answer. One with more is refused: some of its rows would stand for all."""


class RowsByLabels:
    """Makes a metric of each column that is one, with the columns of text as labels.

    Args:
        name: of the question; the names of its metrics begin with it.
        labels: the columns that make the labels after ``server``.
        metrics: column, type and help of each metric.
    """

    def __init__(
        self, name: str, labels: Sequence[str], metrics: Sequence[tuple[str, str, str]]
    ) -> None:
        self._labels = labels
        names = ("server", *labels)
        self._metrics = {
            column: Metric(f"{name}_{column}", Kind(kind), "", about or f"Told by {name}.", names)
            for column, kind, about in metrics
        }

    def __call__(self, rows: Sequence[Row], server: str) -> Iterator[Family]:
        """Yield the families of an answer.

        Raises:
            UpstreamError: it has too many rows, lacks a column, or has one that is no number.
        """
        if len(rows) > MAX_ROWS:
            raise _senseless(f"it has more than {MAX_ROWS} rows")
        if rows and (missing := {*self._labels, *self._metrics} - rows[0].keys()):
            raise _senseless(f"it has no column {', '.join(sorted(missing))}")
        labelled = [((server, *(_text(row[name]) for name in self._labels)), row) for row in rows]
        if len({label for label, _ in labelled}) < len(labelled):
            raise _senseless("it has rows that do not differ in their labels")
        for column, metric in self._metrics.items():
            samples: list[Sample] = [
                (label, _number(column, row[column]))
                for label, row in labelled
                if row[column] is not None
            ]
            yield Family(metric, samples)


def query(
    *,
    name: str,
    sql: str,
    labels: Sequence[str],
    metrics: Sequence[tuple[str, str, str]],
    interval_seconds: float,
) -> Question:
    """Return a question of a user's own.

    Args:
        name: of the question.
        sql: one statement that returns rows.
        labels: columns that make labels.
        metrics: column, type and help of each metric.
        interval_seconds: it is asked no more often than that.
    """
    # On lines of its own, since it may end in a comment; braces would be words of the session.
    bounded = f"SELECT * FROM (\n{sql}\n) AS asked LIMIT {MAX_ROWS + 1}"  # noqa: S608  # the user's
    return Question(
        f"query {name}",
        bounded.replace("{", "{{").replace("}", "}}"),
        RowsByLabels(name, labels, metrics),
        interval_seconds=interval_seconds,
    )


def queries(plain: Sequence[Mapping[str, Any]]) -> list[Question]:
    """Return the questions that the configuration has, as plain data."""
    return [query(**one) for one in plain]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _number(column: str, value: object) -> float:
    try:
        return float(value) if isinstance(value, str) else number(value)
    except (TypeError, ValueError):
        raise _senseless(f"its column {column} is no number") from None


def _senseless(why: str) -> UpstreamError:
    return UpstreamError(f"the answer cannot be told of: {why}", reason=Reason.BAD_ANSWER)
