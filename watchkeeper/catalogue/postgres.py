"""PostgreSQL servers: postgres_exporter's names, types and labels, and ``server``."""

from watchkeeper.catalogue.metric import Metric, counter, gauge, untyped

SERVER = ("server",)
_DATABASE = (*SERVER, "datid", "datname")
_STATE = (*SERVER, "datname", "state")
_STATEMENT = (*SERVER, "user", "datname", "queryid")

UP = gauge("pg_up", "1 when the server answered.", SERVER)
STATIC = untyped(
    "pg_static", "Always 1; the server's version as labels.", (*SERVER, "short_version", "version")
)
QUESTION_SUCCESS = gauge(
    "pg_scrape_collector_success",
    "1 when the server answered this question last time.",
    (*SERVER, "collector"),
)
QUESTION_DURATION = gauge(
    "pg_scrape_collector_duration_seconds",
    "Time the server took to answer this question.",
    (*SERVER, "collector"),
    unit="seconds",
)
START_TIME = gauge(
    "pg_postmaster_start_time_seconds",
    "When the server started, Unix time.",
    SERVER,
    unit="seconds",
)
DATABASE_SIZE = gauge(
    "pg_database_size_bytes", "Disk space of a database.", (*SERVER, "datname"), unit="bytes"
)
ACTIVITY = gauge("pg_stat_activity_count", "Connections by state.", _STATE)
ACTIVITY_MAX_TX = gauge(
    "pg_stat_activity_max_tx_duration",
    "Age of the oldest transaction by state.",
    _STATE,
    unit="seconds",
)
SATURATION = gauge(
    "pg_connection_saturation_ratio",
    "Connections of clients as a part of those that ordinary roles may have.",
    SERVER,
    unit="ratio",
)
LOCKS = gauge("pg_locks_count", "Locks by mode.", (*SERVER, "datname", "mode"))

# pg_stat_database: one metric a column, each in the column's own unit.
_DATABASE_COUNTERS = (
    "xact_commit", "xact_rollback", "blks_read", "blks_hit", "tup_returned", "tup_fetched",
    "tup_inserted", "tup_updated", "tup_deleted", "conflicts", "temp_files", "temp_bytes",
    "deadlocks", "blk_read_time", "blk_write_time", "stats_reset",
)  # fmt: skip
# postgres_exporter declares no type for the columns it learned of later.
_DATABASE_UNTYPED = (
    "checksum_failures", "checksum_last_failure", "parallel_workers_to_launch",
    "parallel_workers_launched", "session_time", "active_time", "idle_in_transaction_time",
    "sessions", "sessions_abandoned", "sessions_fatal", "sessions_killed",
)  # fmt: skip


def _database(column: str) -> tuple[str, str]:
    return f"pg_stat_database_{column}", f"{column} of pg_stat_database."


STAT_DATABASE: dict[str, Metric] = {
    "numbackends": gauge("pg_stat_database_numbackends", "Connections now.", _DATABASE),
    **{column: counter(*_database(column), _DATABASE) for column in _DATABASE_COUNTERS},
    **{column: untyped(*_database(column), _DATABASE) for column in _DATABASE_UNTYPED},
}
"""Metric by column of pg_stat_database."""
CONFLICTS: dict[str, Metric] = {
    f"confl_{cause}": (untyped if cause == "active_logicalslot" else counter)(
        f"pg_stat_database_conflicts_confl_{cause}",
        f"Queries a standby cancelled: {cause}.",
        _DATABASE,
    )
    for cause in ("tablespace", "lock", "snapshot", "bufferpin", "deadlock", "active_logicalslot")
}
"""Metric by column of pg_stat_database_conflicts."""
NUMBACKENDS = STAT_DATABASE["numbackends"]
COMMITS = STAT_DATABASE["xact_commit"]
ROLLBACKS = STAT_DATABASE["xact_rollback"]
BLOCKS_READ = STAT_DATABASE["blks_read"]
BLOCKS_HIT = STAT_DATABASE["blks_hit"]
DEADLOCKS = STAT_DATABASE["deadlocks"]
TEMP_BYTES = STAT_DATABASE["temp_bytes"]


def setting(name: str, unit: str) -> Metric:
    """Describe the gauge of a numeric setting whose base unit is ``unit``, or empty."""
    suffix = f"_{unit}" if unit else ""
    full_name = f"pg_settings_{name.replace('.', '_')}{suffix}"
    return gauge(full_name, f"The setting {name}.", SERVER, unit=unit)


MAX_CONNECTIONS = setting("max_connections", "")
RESERVED_CONNECTIONS = setting("superuser_reserved_connections", "")
SHARED_BUFFERS = setting("shared_buffers", "bytes")
WORK_MEM = setting("work_mem", "bytes")
EFFECTIVE_CACHE_SIZE = setting("effective_cache_size", "bytes")

# pg_stat_statements, the statements with the most total time.
STATEMENT_CALLS = counter("pg_stat_statements_calls_total", "Times it ran.", _STATEMENT)
STATEMENT_SECONDS = counter(
    "pg_stat_statements_seconds_total", "Time spent in it.", _STATEMENT, unit="seconds"
)
STATEMENT_ROWS = counter("pg_stat_statements_rows_total", "Rows it returned.", _STATEMENT)
STATEMENT_READ_SECONDS = counter(
    "pg_stat_statements_block_read_seconds_total",
    "Time it spent reading blocks.",
    _STATEMENT,
    unit="seconds",
)
STATEMENT_WRITE_SECONDS = counter(
    "pg_stat_statements_block_write_seconds_total",
    "Time it spent writing blocks.",
    _STATEMENT,
    unit="seconds",
)
STATEMENT_QUERY = gauge(
    "pg_stat_statements_query_id",
    "Always 1; the text of a statement, without literals and shortened.",
    (*SERVER, "queryid", "query"),
)
