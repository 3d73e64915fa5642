"""Questions about what the server does beside answering: writing, archiving, keeping young."""

from __future__ import annotations

from agent.sql.question import Question, by_column
from watchkeeper.catalogue import postgres_depth as depth

BGWRITER = Question(
    "stat_bgwriter",
    "SELECT * FROM pg_stat_bgwriter",
    by_column(depth.BGWRITER),
)

CHECKPOINTER = Question(
    "stat_checkpointer",
    "SELECT * FROM pg_stat_checkpointer",
    by_column(depth.CHECKPOINTER),
    since=170000,
)

ARCHIVER = Question(
    "stat_archiver",
    "SELECT archived_count, failed_count, "
    "extract(epoch FROM now() - last_archived_time) AS last_archive_age FROM pg_stat_archiver",
    by_column(depth.ARCHIVER),
)

WAL = Question(
    "wal",
    "SELECT count(*) AS segments, coalesce(sum(size), 0) AS bytes FROM pg_ls_waldir() "
    "WHERE name ~ '^[0-9A-F]{{24}}$'",
    by_column({"segments": depth.WAL_SEGMENTS, "bytes": depth.WAL_SIZE}),
    since=100000,
)

WRAPAROUND = Question(
    "database_wraparound",
    "SELECT datname, age(datfrozenxid) AS xid_age, mxid_age(datminmxid) AS multixact_age "
    "FROM pg_database WHERE datallowconn",
    by_column(depth.WRAPAROUND, ("datname",)),
)

LONG_TRANSACTIONS = Question(
    "long_running_transactions",
    # A minute is postgres_exporter's idea of long.
    "SELECT count(*) FILTER (WHERE now() - xact_start > interval '1 minute') AS transactions, "
    "coalesce(max(extract(epoch FROM now() - xact_start)), 0) AS oldest_at "
    "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state IS DISTINCT FROM 'idle' "
    "AND query NOT LIKE 'autovacuum:%'",
    by_column(depth.LONG_TRANSACTIONS),
)
