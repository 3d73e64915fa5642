"""Single statements, from pg_stat_statements: the ones with the most total time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.family import Family, LabelValues
from agent.sql.question import Question, Row
from agent.sql.text import TEXT_BYTES, shortened, without_literals
from watchkeeper.catalogue import Metric, postgres

METRICS: dict[Metric, str] = {
    postgres.STATEMENT_CALLS: "calls",
    postgres.STATEMENT_SECONDS: "seconds",
    postgres.STATEMENT_ROWS: "rows",
    postgres.STATEMENT_READ_SECONDS: "read_seconds",
    postgres.STATEMENT_WRITE_SECONDS: "write_seconds",
}
"""Column of our query by metric."""


def _families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    labels: list[LabelValues] = [
        (server, row["user"], row["datname"], str(row["queryid"])) for row in rows
    ]
    for metric, column in METRICS.items():
        values = (float(row[column]) for row in rows)
        yield Family(metric, list(zip(labels, values, strict=True)))
    texts = {str(row["queryid"]): shortened(without_literals(row["query"] or ""), TEXT_BYTES)
             for row in rows}  # fmt: skip
    yield Family(
        postgres.STATEMENT_QUERY,
        [((server, queryid, text), 1) for queryid, text in texts.items()],
    )


# An entry for each nesting level: they are one statement to whoever looks.
_SQL = """
    SELECT coalesce(r.rolname, '') AS user, d.datname, s.queryid,
           min(left(s.query, 4000)) AS query,
           sum(s.calls) AS calls, sum(s.{total}) / 1000 AS seconds, sum(s.rows) AS rows,
           sum(s.{block}_read_time) / 1000 AS read_seconds,
           sum(s.{block}_write_time) / 1000 AS write_seconds
    FROM {statements} s
    JOIN pg_database d ON d.oid = s.dbid
    LEFT JOIN pg_roles r ON r.oid = s.userid
    WHERE s.queryid IS NOT NULL
    GROUP BY 1, 2, 3
    ORDER BY seconds DESC
    LIMIT {top}
"""


def statements(top: int) -> Question:
    """Return the question for the ``top`` (>= 1) statements by total time."""
    return Question("stat_statements", _SQL, _families, top=top, needs="statements")
