"""MySQL and MariaDB servers: mysqld_exporter's names, types and labels, and ``server``."""

import re
from functools import cache

from watchkeeper.catalogue.metric import Metric, counter, gauge, untyped

SERVER = ("server",)
_DIGEST = (*SERVER, "schema", "digest", "digest_text")
_STATE = (*SERVER, "command", "state")
_SOURCE = (*SERVER, "master_host", "master_uuid", "channel_name", "connection_name")
_PAGE_SIZE = (*SERVER, "page_size")
_POOL = (*_PAGE_SIZE, "buffer_pool")
_BLOCKER = (*SERVER, "user", "schema", "thread", "command", "query")

UP = gauge("mysql_up", "1 when the server answered.", SERVER)
QUESTION_SUCCESS = gauge(
    "mysql_exporter_collector_success",
    "1 when the server answered this question last time.",
    (*SERVER, "collector"),
)
QUESTION_DURATION = gauge(
    "mysql_exporter_collector_duration_seconds",
    "Time the server took to answer this question.",
    (*SERVER, "collector"),
    unit="seconds",
)
VERSION_INFO = gauge(
    "mysql_version_info",
    "Always 1; the server's version as labels.",
    (*SERVER, "innodb_version", "version", "version_comment"),
)
ISOLATION = gauge(
    "mysql_transaction_isolation", "Always 1; the default isolation level.", (*SERVER, "level")
)
GALERA_VARIABLES = gauge(
    "mysql_galera_variables_info",
    "Always 1; the name of the Galera cluster.",
    (*SERVER, "wsrep_cluster_name"),
)
GALERA_STATUS = gauge(
    "mysql_galera_status_info",
    "Always 1; the identity of the Galera cluster and its state.",
    (*SERVER, "wsrep_local_state_uuid", "wsrep_cluster_state_uuid", "wsrep_provider_version"),
)

# SHOW GLOBAL STATUS: what belongs together is one metric, the rest one for each name.
COMMANDS = counter(
    "mysql_global_status_commands_total", "Statements by command.", (*SERVER, "command")
)
HANDLERS = counter(
    "mysql_global_status_handlers_total", "Calls of storage engines.", (*SERVER, "handler")
)
CONNECTION_ERRORS = counter(
    "mysql_global_status_connection_errors_total", "Refused connections.", (*SERVER, "error")
)
POOL_PAGES = gauge(
    "mysql_global_status_buffer_pool_pages", "Pages of the buffer pool.", (*SERVER, "state")
)
POOL_DIRTY = gauge(
    "mysql_global_status_buffer_pool_dirty_pages", "Pages yet to be written.", SERVER
)
POOL_CHANGES = counter(
    "mysql_global_status_buffer_pool_page_changes_total",
    "Changes of state of pages of the buffer pool.",
    (*SERVER, "operation"),
)
ROW_OPERATIONS = counter(
    "mysql_global_status_innodb_row_ops_total", "Rows by operation.", (*SERVER, "operation")
)
INSTRUMENTS_LOST = counter(
    "mysql_global_status_performance_schema_lost_total",
    "What the performance schema had no room for.",
    (*SERVER, "instrumentation"),
)


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


@cache
def status(name: str) -> Metric:
    """Describe the metric of a variable of SHOW GLOBAL STATUS."""
    return untyped(f"mysql_global_status_{_plain(name.lower())}", f"The status {name}.", SERVER)


@cache
def variable(name: str) -> Metric:
    """Describe the gauge of a variable of SHOW GLOBAL VARIABLES."""
    return gauge(f"mysql_global_variables_{_plain(name.lower())}", f"The variable {name}.", SERVER)


THREADS_CONNECTED = status("threads_connected")
THREADS_RUNNING = status("threads_running")
QUESTIONS = status("questions")
SLOW_QUERIES = status("slow_queries")
MAX_CONNECTIONS = variable("max_connections")


# Replication.
@cache
def replica(column: str) -> Metric:
    """Describe the metric of a column of SHOW REPLICA STATUS, by its name before MySQL 8.0.22."""
    return untyped(
        f"mysql_slave_status_{_plain(column.lower())}", f"{column} of a replica.", _SOURCE
    )


SECONDS_BEHIND = replica("seconds_behind_master")
BINLOG_SIZE = gauge("mysql_binlog_size_bytes", "Disk space of binary logs.", SERVER, unit="bytes")
BINLOG_FILES = gauge("mysql_binlog_files", "Binary logs.", SERVER)
BINLOG_NUMBER = gauge("mysql_binlog_file_number", "Number of the newest binary log.", SERVER)

# Sessions, and who blocks whom.
THREADS = gauge("mysql_info_schema_processlist_threads", "Sessions by what they do.", _STATE)
THREAD_SECONDS = gauge(
    "mysql_info_schema_processlist_seconds",
    "How long they have been at it, added up.",
    _STATE,
    unit="seconds",
)
THREADS_BY_USER = gauge(
    "mysql_info_schema_processlist_processes_by_user", "Sessions by user.", (*SERVER, "mysql_user")
)
THREADS_BY_HOST = gauge(
    "mysql_info_schema_processlist_processes_by_host",
    "Sessions by where they come from.",
    (*SERVER, "client_host"),
)
BLOCKED = gauge(
    "mysql_blocked_transactions", "Transactions that wait for a row lock of another.", SERVER
)
BLOCKED_LONGEST = gauge(
    "mysql_blocked_longest_seconds", "Longest such wait going on.", SERVER, unit="seconds"
)
ROOT_BLOCKED = gauge(
    "mysql_root_blocker_transactions",
    "Transactions that wait for one, directly or through others; it waits for none itself.",
    _BLOCKER,
)
ROOT_AGE = gauge(
    "mysql_root_blocker_transaction_seconds",
    "Age of the transaction of a root blocker.",
    _BLOCKER,
    unit="seconds",
)
SATURATION = gauge(
    "mysql_connection_saturation_ratio",
    "Connections as a part of those allowed.",
    SERVER,
    unit="ratio",
)

# Statements by digest, the ones with the most total time.
DIGESTS = {
    column: counter(f"mysql_perf_schema_events_statements_{name}", help_, _DIGEST, unit=unit)
    for column, name, help_, unit in (
        ("count_star", "total", "Times it ran.", ""),
        ("seconds", "seconds_total", "Time spent in it.", "seconds"),
        ("sum_errors", "errors_total", "Times it failed.", ""),
        ("sum_warnings", "warnings_total", "Warnings it caused.", ""),
        ("sum_rows_affected", "rows_affected_total", "Rows it changed.", ""),
        ("sum_rows_sent", "rows_sent_total", "Rows it returned.", ""),
        ("sum_rows_examined", "rows_examined_total", "Rows it read.", ""),
        ("sum_created_tmp_tables", "tmp_tables_total", "Temporary tables it needed.", ""),
        ("sum_created_tmp_disk_tables", "tmp_disk_tables_total", "Those on disk.", ""),
        ("sum_sort_merge_passes", "sort_merge_passes_total", "Passes of its sorts.", ""),
        ("sum_sort_rows", "sort_rows_total", "Rows it sorted.", ""),
        ("sum_no_index_used", "no_index_used_total", "Times it read whole tables.", ""),
    )
}
"""Counter by column of events_statements_summary_by_digest."""

TABLE_WAITS = counter(
    "mysql_perf_schema_table_io_waits_total",
    "Reads and writes of a table.",
    (*SERVER, "schema", "name", "operation"),
)
TABLE_WAIT_SECONDS = counter(
    "mysql_perf_schema_table_io_waits_seconds_total",
    "Time spent in them.",
    (*SERVER, "schema", "name", "operation"),
    unit="seconds",
)

# InnoDB.
COMPRESSION = {
    column: counter(f"mysql_info_schema_innodb_cmp_{name}", help_, _PAGE_SIZE, unit=unit)
    for column, name, help_, unit in (
        ("compress_ops", "compress_ops_total", "Pages to compress.", ""),
        ("compress_ops_ok", "compress_ops_ok_total", "Pages that could be.", ""),
        ("compress_time", "compress_time_seconds_total", "Time it took.", "seconds"),
        ("uncompress_ops", "uncompress_ops_total", "Pages uncompressed.", ""),
        ("uncompress_time", "uncompress_time_seconds_total", "Time it took.", "seconds"),
    )
}
"""Counter by column of innodb_cmp."""
COMPRESSED_MEMORY = {
    column: counter(f"mysql_info_schema_innodb_cmpmem_{name}", help_, _POOL, unit=unit)
    for column, name, help_, unit in (
        ("pages_used", "pages_used_total", "Compressed pages in use.", ""),
        ("pages_free", "pages_free_total", "Compressed pages that are free.", ""),
        ("relocation_ops", "relocation_ops_total", "Pages moved.", ""),
        ("relocation_time", "relocation_time_seconds_total", "Time it took.", "seconds"),
    )
}
"""Counter by column of innodb_cmpmem."""
INNODB_POOL_PAGES = gauge(
    "mysql_info_schema_innodb_metrics_buffer_pool_pages",
    "Pages of the buffer pool.",
    (*SERVER, "state"),
)
INNODB_POOL_DIRTY = gauge(
    "mysql_info_schema_innodb_metrics_buffer_pool_dirty_pages", "Pages yet to be written.", SERVER
)
INNODB_PAGES_READ = counter(
    "mysql_info_schema_innodb_metrics_buffer_page_read_total", "Pages read.", (*SERVER, "type")
)
INNODB_PAGES_WRITTEN = counter(
    "mysql_info_schema_innodb_metrics_buffer_page_written_total",
    "Pages written.",
    (*SERVER, "type"),
)


@cache
def innodb(subsystem: str, name: str, *, counts: bool) -> Metric:
    """Describe the metric of a row of innodb_metrics; one that counts only grows."""
    full_name = f"mysql_info_schema_innodb_metrics_{_plain(subsystem)}_{_plain(name)}"
    if counts:
        return counter(f"{full_name}_total", f"{name} of InnoDB.", SERVER)
    return gauge(full_name, f"{name} of InnoDB.", SERVER)
