"""Questions to the performance schema: statements by digest, and the tables most waited for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.family import Family, Sample
from agent.sql.question import Question, Row, by_column, number
from watchkeeper.catalogue import mysql

DIGEST_CHARACTERS = 120
"""Texts are cut to this, as by mysqld_exporter; the server has put ``?`` for every literal."""

PICOSECONDS = 10**12

_SUMS = ", ".join(f"{name} AS {name}" for name in mysql.DIGESTS if name != "seconds")
_SYSTEM = "'mysql', 'performance_schema', 'information_schema', 'sys'"


def statements(top: int) -> Question:
    """Return the question for the ``top`` (>= 1) statements by total time."""
    sql = f"""
        SELECT coalesce(schema_name, 'NONE') AS `schema`, digest AS digest,
               left(digest_text, {DIGEST_CHARACTERS}) AS digest_text,
               sum_timer_wait / {PICOSECONDS} AS seconds, {_SUMS}
        FROM performance_schema.events_statements_summary_by_digest
        WHERE digest IS NOT NULL AND schema_name NOT IN ({_SYSTEM})
        ORDER BY sum_timer_wait DESC LIMIT {{top}}
    """  # noqa: S608  # fixed words
    families = by_column(mysql.DIGESTS, ("schema", "digest", "digest_text"))
    return Question("collect.perf_schema.eventsstatements", sql, families, top=top)


OPERATIONS = ("fetch", "insert", "update", "delete")


def _table_families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    counts: list[Sample] = []
    seconds: list[Sample] = []
    for row in rows:
        for operation in OPERATIONS:
            labels = (server, row["schema"], row["name"], operation)
            counts.append((labels, number(row[f"count_{operation}"])))
            seconds.append((labels, number(row[f"seconds_{operation}"])))
    yield Family(mysql.TABLE_WAITS, counts)
    yield Family(mysql.TABLE_WAIT_SECONDS, seconds)


def table_waits(top: int) -> Question:
    """Return the question for the ``top`` (>= 1) tables by the time spent in them."""
    columns = ", ".join(
        f"count_{name} AS count_{name}, sum_timer_{name} / {PICOSECONDS} AS seconds_{name}"
        for name in OPERATIONS
    )
    sql = f"""
        SELECT object_schema AS `schema`, object_name AS name, {columns}
        FROM performance_schema.table_io_waits_summary_by_table
        WHERE object_schema NOT IN ({_SYSTEM})
        ORDER BY sum_timer_wait DESC LIMIT {{top}}
    """  # noqa: S608  # fixed words
    return Question("collect.perf_schema.tableiowaits", sql, _table_families, top=top)
