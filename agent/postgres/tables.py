"""Questions about tables and indexes of the database we are in: the largest ones."""

from __future__ import annotations

from agent.sql.question import Question, by_column
from watchkeeper.catalogue import postgres_depth as depth

TABLE_METRICS = {
    **depth.TABLE_COUNTERS,
    **depth.TABLE_GAUGES,
    "table_bytes": depth.TABLE_SIZE,
    "indexes_bytes": depth.INDEXES_SIZE,
}

TABLE_LABELS = ("datname", "schemaname", "relname")
INDEX_LABELS = (*TABLE_LABELS, "indexrelname")

LARGEST = """(
    SELECT t.oid, t.relpages, t.reltuples, t.relnatts, t.reloptions, t.relam, n.nspname, t.relname
    FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE t.relkind IN ({kinds}) AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'
    ORDER BY t.relpages DESC, t.oid LIMIT {{top}}
)"""
"""The largest relations of some kinds; choosing them reads pg_class and opens no file."""

LARGEST_TABLES = LARGEST.format(kinds="'r', 'm'")
LARGEST_INDEXES = LARGEST.format(kinds="'i'")


def tables(top: int) -> Question:
    """Return the question about the ``top`` (>= 1) tables by pages.

    Sizes come from the pages of the last vacuum or analyze: asking the disk would open every file,
    and wait for whoever holds a table's lock. The view adds up the indexes of each table, so it is
    given the few it should look at.
    """
    sql = f"""
        SELECT current_database() AS datname, s.*,
               c.relpages::bigint * current_setting('block_size')::int AS table_bytes,
               (SELECT coalesce(sum(i.relpages), 0)::bigint * current_setting('block_size')::int
                FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
                WHERE x.indrelid = c.oid) AS indexes_bytes
        FROM pg_stat_user_tables s
        JOIN pg_class c ON c.oid = s.relid
        WHERE s.relid = ANY (ARRAY(SELECT oid FROM {LARGEST_TABLES} t))
    """  # noqa: S608  # fixed words
    return Question("stat_user_tables", sql, by_column(TABLE_METRICS, TABLE_LABELS), top=top)


def indexes(top: int) -> Question:
    """Return the question about the ``top`` (>= 1) indexes by pages."""
    sql = f"""
        SELECT current_database() AS datname, s.schemaname, s.relname, s.indexrelname, s.idx_scan,
               c.relpages::bigint * current_setting('block_size')::int AS bytes
        FROM {LARGEST_INDEXES} c
        JOIN pg_stat_user_indexes s ON s.indexrelid = c.oid
    """  # noqa: S608  # fixed words
    metrics = {"idx_scan": depth.INDEX_SCANS, "bytes": depth.INDEX_SIZE}
    return Question("stat_user_indexes", sql, by_column(metrics, INDEX_LABELS), top=top)
