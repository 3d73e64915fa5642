"""What PostgreSQL calls things by version: all the differences our questions know, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OLDEST_VERSION = 90600
"""PostgreSQL 9.6, as server_version_num."""

WORDS: Mapping[str, tuple[tuple[int, str], ...]] = {
    # PostgreSQL 10 renamed the log and the positions in it.
    "log": ((90600, "xlog"), (100000, "wal")),
    "position": ((90600, "location"), (100000, "lsn")),
    # 10 shows the server's own processes among the sessions, and tells them by their type.
    "is_client": ((90600, "TRUE"), (100000, "backend_type = 'client backend'")),
    # 13 limits what a slot may hold back, and tells how far it is from the limit.
    "safe_wal_bytes": ((90600, "NULL::bigint"), (130000, "safe_wal_size")),
    "wal_status": ((90600, "NULL::text"), (130000, "wal_status")),
    # 14 tells since when a lock is waited for; before, the statement's start is the best guess.
    "lock_wait_start": (
        (90600, "a.query_start"),
        (140000, "(SELECT min(l.waitstart) FROM pg_locks l WHERE l.pid = a.pid AND NOT granted)"),
    ),
    # 16 keeps connections for a role of that name beside those for superusers.
    "kept_for_others": ((90600, "0"), (160000, "current_setting('reserved_connections')::int")),
}
"""By word of our questions: from which server_version_num on it stands for what."""

STATEMENT_WORDS: Mapping[str, tuple[tuple[int, str], ...]] = {
    "total": ((104, "total_time"), (108, "total_exec_time")),
    "block": ((104, "blk"), (111, "shared_blk")),
}
"""The same by version of pg_stat_statements, 110 for 1.10: it stays behind when only the server is
upgraded."""

WIDTHS_VIEW = "watchkeeper.column_widths"
"""The view of ``docs/agent-databases.md``: how wide columns are, for a role that may read none."""

VISIBLE_WIDTHS = """(
    SELECT a.attrelid AS starelid, a.attnum AS staattnum, s.null_frac AS stanullfrac,
           s.avg_width AS stawidth
    FROM pg_stats s
    JOIN pg_namespace n ON n.nspname = s.schemaname
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname
    WHERE NOT s.inherited
)"""
"""Without that view: those of the tables the role may read."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the questions must know of a server before they are put.

    Attributes:
        version: as in server_version_num: 90600, 150004, 180000.
        statements: version of pg_stat_statements in the database we are in, 110 for 1.10; None
            without it.
        statements_schema: the schema it is in, quoted.
        has_widths_view: whether ``WIDTHS_VIEW`` is there and may be read.
    """

    version: int
    statements: int | None = None
    statements_schema: str = "public"
    has_widths_view: bool = False

    def words(self) -> dict[str, str]:
        """Return what each word of our questions stands for on this server."""
        words = {word: _latest(choices, self.version) for word, choices in WORDS.items()}
        words["widths"] = WIDTHS_VIEW if self.has_widths_view else VISIBLE_WIDTHS
        if self.statements is not None:
            words["statements"] = f"{self.statements_schema}.pg_stat_statements"
            for word, by_release in STATEMENT_WORDS.items():
                words[word] = _latest(by_release, self.statements)
        return words


def _latest(choices: tuple[tuple[int, str], ...], version: int) -> str:
    return [text for since, text in choices if since <= version][-1]


def parse_release(text: str) -> int:
    """Return an extension's version as a number: 110 for ``1.10``."""
    major, _, minor = text.partition(".")
    return int(major) * 100 + int(minor or 0)


FACTS_SQL = """
    SELECT (SELECT extversion FROM pg_extension WHERE extname = 'pg_stat_statements')
             AS statements,
           (SELECT quote_ident(n.nspname) FROM pg_extension x
            JOIN pg_namespace n ON n.oid = x.extnamespace
            WHERE x.extname = 'pg_stat_statements') AS statements_schema,
           EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname = 'watchkeeper' AND c.relname = 'column_widths'
                   AND has_schema_privilege(n.oid, 'USAGE')
                   AND has_table_privilege(c.oid, 'SELECT')) AS has_widths_view
"""


def facts_of(version: int, row: Mapping[str, object]) -> Facts:
    """Return the facts that a row of ``FACTS_SQL`` tells."""
    release = row["statements"]
    return Facts(
        version,
        parse_release(str(release)) if release is not None else None,
        str(row["statements_schema"] or "public"),
        has_widths_view=bool(row["has_widths_view"]),
    )
