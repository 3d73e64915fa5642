"""Questions about wasted space: what the largest tables and indexes take beyond what they hold.

An estimate from the planner's statistics, as good as the last analyze; no page is read. Rows are
taken at the mean width of their columns, so alignment between columns counts as waste, and what is
moved out of line (TOAST) is not looked at. A relation without statistics is left out.
"""

from __future__ import annotations

from agent.postgres.tables import INDEX_LABELS, LARGEST_INDEXES, LARGEST_TABLES, TABLE_LABELS
from agent.sql.question import Question, by_column
from watchkeeper.catalogue import postgres_depth as depth

_BLOCK = "current_setting('block_size')::int"


def _wasted(row_bytes: str, page_overhead_bytes: int, fill_percent: int, pages: str) -> str:
    """Return the bytes of a relation's pages that its rows would not fill."""
    fill = f"""coalesce((SELECT option_value::int FROM pg_options_to_table(c.reloptions)
                         WHERE option_name = 'fillfactor'), {fill_percent}) / 100.0"""  # noqa: S608
    room = f"(({_BLOCK} - {page_overhead_bytes}) * {fill})"
    needed = f"ceil(c.reltuples * {row_bytes} / {room}) + {pages}"
    return f"(greatest(0, c.relpages - ({needed})) * {_BLOCK})::bigint"


def _aligned(length: str) -> str:
    return f"(8 * ceil(({length}) / 8.0))"


# Sizes of the page header (24), a line pointer (4), a row's header (23), an index's special space
# (16) and entry header (8): "Database Page Layout" and "B-Tree Indexes" of PostgreSQL's manual.
_ROW = f"(4 + {_aligned('23 + w.null_bits * (c.relnatts + 7) / 8')} + {_aligned('w.width')})"
_ENTRY = f"(4 + {_aligned('8 + w.null_bits * 8 + w.width')})"

_MEANS = """
    count(*) AS columns, coalesce(sum((1 - s.stanullfrac) * s.stawidth), 0) AS width,
    coalesce(max((s.stanullfrac > 0)::int), 0) AS null_bits
"""


def table_bloat(top: int) -> Question:
    """Return the question about the ``top`` (>= 1) largest tables."""
    sql = f"""
        SELECT current_database() AS datname, c.nspname AS schemaname, c.relname,
               {_wasted(_ROW, 24, 100, "0")} AS bytes
        FROM {LARGEST_TABLES} c
        JOIN LATERAL (SELECT {_MEANS} FROM {{widths}} s WHERE s.starelid = c.oid) w
          ON w.columns = (SELECT count(*) FROM pg_attribute a
                          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
        WHERE c.reltuples >= 0 AND w.columns > 0
    """  # noqa: S608  # fixed words
    families = by_column({"bytes": depth.TABLE_BLOAT}, TABLE_LABELS)
    return Question("table_bloat", sql, families, top=top)


def index_bloat(top: int) -> Question:
    """Return the question about the ``top`` (>= 1) largest B-trees over plain columns."""
    sql = f"""
        SELECT current_database() AS datname, c.nspname AS schemaname,
               t.relname, c.relname AS indexrelname,
               {_wasted(_ENTRY, 24 + 16, 90, "1")} AS bytes
        FROM {LARGEST_INDEXES} c
        JOIN pg_index x ON x.indexrelid = c.oid
        JOIN pg_class t ON t.oid = x.indrelid
        JOIN LATERAL (SELECT {_MEANS} FROM {{widths}} s
                      WHERE s.starelid = x.indrelid AND s.staattnum = ANY (x.indkey)) w
          ON w.columns = x.indnatts
        WHERE c.reltuples >= 0 AND x.indexprs IS NULL
        AND c.relam = (SELECT oid FROM pg_am WHERE amname = 'btree')
    """  # noqa: S608  # fixed words
    families = by_column({"bytes": depth.INDEX_BLOAT}, INDEX_LABELS)
    return Question("index_bloat", sql, families, top=top)
