"""PostgreSQL in depth: maintenance, replication, tables, and who blocks whom.

postgres_exporter's names where it has one; who blocks whom it does not tell.
"""

from watchkeeper.catalogue.metric import Metric, counter, gauge
from watchkeeper.catalogue.postgres import SERVER

_SLOT = (*SERVER, "slot_name", "slot_type")
_STANDBY = (*SERVER, "application_name", "client_addr", "state")
_TABLE = (*SERVER, "datname", "schemaname", "relname")
_INDEX = (*_TABLE, "indexrelname")
_BLOCKER = (*SERVER, "datname", "usename", "application_name", "pid", "state", "query")

# Writing and archiving.
BGWRITER = {
    column: counter(f"pg_stat_bgwriter_{column}_total", f"{column} of pg_stat_bgwriter.", SERVER)
    for column in (
        "checkpoints_timed", "checkpoints_req", "checkpoint_write_time", "checkpoint_sync_time",
        "buffers_checkpoint", "buffers_clean", "maxwritten_clean", "buffers_backend",
        "buffers_backend_fsync", "buffers_alloc", "stats_reset",
    )
}  # fmt: skip
"""Counter by column of pg_stat_bgwriter; PostgreSQL 17 moved half of them to the next."""
CHECKPOINTER = {
    column: counter(
        f"pg_stat_checkpointer_{column}_total", f"{column} of pg_stat_checkpointer.", SERVER
    )
    for column in (
        "num_timed", "num_requested", "restartpoints_timed", "restartpoints_req",
        "restartpoints_done", "write_time", "sync_time", "buffers_written", "stats_reset",
    )
}  # fmt: skip
"""Counter by column of pg_stat_checkpointer (PostgreSQL 17)."""
ARCHIVER = {
    "archived_count": counter("pg_stat_archiver_archived_count", "WAL files archived.", SERVER),
    "failed_count": counter("pg_stat_archiver_failed_count", "Failed attempts.", SERVER),
    "last_archive_age": gauge(
        "pg_stat_archiver_last_archive_age", "Time since the last one.", SERVER, unit="seconds"
    ),
}
WAL_SEGMENTS = gauge("pg_wal_segments", "WAL files.", SERVER)
WAL_SIZE = gauge("pg_wal_size_bytes", "Disk space of WAL files.", SERVER, unit="bytes")

# Age: what vacuum must keep up with, and what keeps it from doing so.
WRAPAROUND = {
    "xid_age": gauge(
        "pg_database_wraparound_age_datfrozenxid_seconds",
        "Age of the oldest transaction id, in transactions whatever the name says.",
        (*SERVER, "datname"),
    ),
    "multixact_age": gauge(
        "pg_database_wraparound_age_datminmxid_seconds",
        "Age of the oldest multixact id, in multixacts whatever the name says.",
        (*SERVER, "datname"),
    ),
}
LONG_TRANSACTIONS = {
    "transactions": gauge(
        "pg_long_running_transactions", "Transactions open for more than a minute.", SERVER
    ),
    "oldest_at": gauge(
        "pg_long_running_transactions_oldest_timestamp_seconds",
        "Age of the oldest transaction.",
        SERVER,
        unit="seconds",
    ),
}

# Replication.
REPLICATION = {
    "is_replica": gauge("pg_replication_is_replica", "1 on a replica.", SERVER),
    "lag_seconds": gauge(
        "pg_replication_lag_seconds", "How far a replica is behind.", SERVER, unit="seconds"
    ),
    "last_replay_seconds": gauge(
        "pg_replication_last_replay_seconds",
        "Age of the last transaction a replica replayed.",
        SERVER,
        unit="seconds",
    ),
}
STANDBY_LAG = gauge(
    "pg_stat_replication_pg_wal_lsn_diff",
    "WAL a standby has yet to replay.",
    _STANDBY,
    unit="bytes",
)
SLOTS: dict[str, Metric] = {
    "current_lsn": gauge(
        "pg_replication_slot_slot_current_wal_lsn", "WAL written, as bytes.", _SLOT
    ),
    "confirmed_lsn": gauge(
        "pg_replication_slot_slot_confirmed_flush_lsn", "WAL a slot's reader confirmed.", _SLOT
    ),
    "is_active": gauge("pg_replication_slot_slot_is_active", "1 while it is read.", _SLOT),
    "safe_bytes": gauge(
        "pg_replication_slot_safe_wal_size_bytes",
        "WAL that may be written before the slot is lost.",
        _SLOT,
        unit="bytes",
    ),
}
SLOT_STATUS = gauge(
    "pg_replication_slot_wal_status",
    "Always 1; whether the WAL a slot needs is still there.",
    (*_SLOT, "wal_status"),
)

# Tables and indexes, the largest ones.
TABLE_COUNTERS = {
    column: counter(f"pg_stat_user_tables_{column}", f"{column} of pg_stat_user_tables.", _TABLE)
    for column in (
        "seq_scan", "seq_tup_read", "idx_scan", "idx_tup_fetch", "n_tup_ins", "n_tup_upd",
        "n_tup_del", "n_tup_hot_upd", "vacuum_count", "autovacuum_count", "analyze_count",
        "autoanalyze_count",
    )
}  # fmt: skip
TABLE_GAUGES = {
    column: gauge(f"pg_stat_user_tables_{column}", f"{column} of pg_stat_user_tables.", _TABLE)
    for column in (
        "n_live_tup", "n_dead_tup", "n_mod_since_analyze", "last_vacuum", "last_autovacuum",
        "last_analyze", "last_autoanalyze",
    )
}  # fmt: skip
TABLE_SIZE = gauge(
    "pg_stat_user_tables_table_size_bytes", "Disk space of a table.", _TABLE, unit="bytes"
)
INDEXES_SIZE = gauge(
    "pg_stat_user_tables_index_size_bytes", "Disk space of its indexes.", _TABLE, unit="bytes"
)
INDEX_SCANS = counter("pg_stat_user_indexes_idx_scan", "Scans of an index.", _INDEX)
INDEX_SIZE = gauge(
    "pg_stat_user_indexes_size_bytes", "Disk space of an index.", _INDEX, unit="bytes"
)
TABLE_BLOAT = gauge(
    "pg_table_bloat_bytes",
    "Disk space of a table beyond what its rows need, estimated.",
    _TABLE,
    unit="bytes",
)
INDEX_BLOAT = gauge(
    "pg_index_bloat_bytes",
    "Disk space of a B-tree beyond what its entries need, estimated.",
    _INDEX,
    unit="bytes",
)

# Who blocks whom.
BLOCKED = gauge("pg_blocked_sessions", "Sessions that wait for a lock of another.", SERVER)
BLOCKED_LONGEST = gauge(
    "pg_blocked_longest_seconds", "Longest such wait going on.", SERVER, unit="seconds"
)
ROOT_BLOCKED = gauge(
    "pg_root_blocker_sessions",
    "Sessions that wait for one, directly or through others; it waits for none itself.",
    _BLOCKER,
)
ROOT_AGE = gauge(
    "pg_root_blocker_transaction_seconds",
    "Age of the transaction of a root blocker.",
    _BLOCKER,
    unit="seconds",
)
