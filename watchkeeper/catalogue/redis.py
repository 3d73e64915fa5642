"""Redis and Valkey servers: redis_exporter's names, types and labels, and ``server``.

``FROM_INFO`` and ``FROM_CONFIG`` say which field of the server's answer each metric is.
"""

from watchkeeper.catalogue.metric import Metric, counter, gauge, summary

SERVER = ("server",)
_COMMAND = (*SERVER, "cmd")
_DATABASE = (*SERVER, "db")

UP = gauge("redis_up", "1 when the server answered.", SERVER)
INSTANCE_INFO = gauge(
    "redis_instance_info",
    "Always 1; what the server is, as labels.",
    (
        *SERVER,
        "maxmemory_policy",
        "os",
        "process_id",
        "redis_build_id",
        "redis_mode",
        "redis_version",
        "role",
        "run_id",
        "tcp_port",
    ),
)
CONNECTED_CLIENTS = gauge("redis_connected_clients", "Client connections.", SERVER)
BLOCKED_CLIENTS = gauge("redis_blocked_clients", "Clients in a blocking call.", SERVER)
MEMORY_USED = gauge("redis_memory_used_bytes", "Memory in use.", SERVER, unit="bytes")
MEMORY_MAX = gauge(
    "redis_memory_max_bytes", "Memory allowed; 0 for no limit.", SERVER, unit="bytes"
)
COMMANDS_PROCESSED = counter("redis_commands_processed_total", "Commands run.", SERVER)
KEYSPACE_HITS = counter("redis_keyspace_hits_total", "Look-ups that found a key.", SERVER)
KEYSPACE_MISSES = counter("redis_keyspace_misses_total", "Look-ups that found none.", SERVER)
EVICTED_KEYS = counter("redis_evicted_keys_total", "Keys evicted for want of memory.", SERVER)
EXPIRED_KEYS = counter("redis_expired_keys_total", "Keys that expired.", SERVER)
REJECTED_CONNECTIONS = counter(
    "redis_rejected_connections_total", "Connections refused at maxclients.", SERVER
)
CONFIG_MAXCLIENTS = gauge("redis_config_maxclients", "Clients allowed.", SERVER)
CONFIG_MAXMEMORY = gauge("redis_config_maxmemory", "Memory allowed; 0 for no limit.", SERVER)
UPTIME = gauge("redis_uptime_in_seconds", "Time since the server started.", SERVER, unit="seconds")
START_TIME = gauge(
    "redis_start_time_seconds", "When the server started, Unix time.", SERVER, unit="seconds"
)

COMMANDS = counter("redis_commands_total", "Calls by command.", _COMMAND)
COMMANDS_DURATION = counter(
    "redis_commands_duration_seconds_total", "Time spent by command.", _COMMAND, unit="seconds"
)
COMMANDS_REJECTED = counter(
    "redis_commands_rejected_calls_total", "Calls refused before running.", _COMMAND
)
COMMANDS_FAILED = counter(
    "redis_commands_failed_calls_total", "Calls that failed while running.", _COMMAND
)
KEY_SIZE = gauge(
    "redis_key_size", "Elements, or bytes of text, of a key that is looked at.", (*_DATABASE, "key")
)
KEY_VALUE = gauge("redis_key_value", "Number that such a key holds.", (*_DATABASE, "key"))
DB_KEYS = gauge("redis_db_keys", "Keys by database.", _DATABASE)
DB_KEYS_EXPIRING = gauge("redis_db_keys_expiring", "Keys with a time to live.", _DATABASE)
DB_AVERAGE_TTL = gauge(
    "redis_db_avg_ttl_seconds", "Average time to live.", _DATABASE, unit="seconds"
)
SLOWLOG_LENGTH = gauge("redis_slowlog_length", "Entries in the slow log.", SERVER)


def _gauge(name: str, help_: str) -> Metric:
    return gauge(f"redis_{name}", help_, SERVER)


def _counter(name: str, help_: str) -> Metric:
    return counter(f"redis_{name}", help_, SERVER)


FROM_INFO = {
    # Server and clients
    "uptime_in_seconds": UPTIME,
    "connected_clients": CONNECTED_CLIENTS,
    "blocked_clients": BLOCKED_CLIENTS,
    "cluster_connections": _gauge("cluster_connections", "Sockets of the cluster bus."),
    "clients_in_timeout_table": _gauge("clients_in_timeout_table", "Clients with a timeout."),
    "client_recent_max_input_buffer": _gauge(
        "client_recent_max_input_buffer_bytes", "Largest input buffer of a client."
    ),
    "client_recent_max_output_buffer": _gauge(
        "client_recent_max_output_buffer_bytes", "Largest output buffer of a client."
    ),
    "tracking_clients": _gauge("tracking_clients", "Clients with client-side caching."),
    # Memory
    "used_memory": MEMORY_USED,
    "used_memory_rss": _gauge("memory_used_rss_bytes", "Resident memory."),
    "used_memory_peak": _gauge("memory_used_peak_bytes", "Most memory ever in use."),
    "used_memory_overhead": _gauge("memory_used_overhead_bytes", "Memory beside the data."),
    "used_memory_startup": _gauge("memory_used_startup_bytes", "Memory in use at the start."),
    "used_memory_dataset": _gauge("memory_used_dataset_bytes", "Memory of the data."),
    "used_memory_lua": _gauge("memory_used_lua_bytes", "Memory of the Lua engine."),
    "used_memory_scripts": _gauge("memory_used_scripts_bytes", "Memory of cached scripts."),
    "maxmemory": MEMORY_MAX,
    "mem_fragmentation_ratio": _gauge("mem_fragmentation_ratio", "Resident to used memory."),
    "mem_fragmentation_bytes": _gauge("mem_fragmentation_bytes", "Resident minus used memory."),
    "mem_clients_normal": _gauge("mem_clients_normal", "Memory of client buffers."),
    "mem_clients_slaves": _gauge("mem_clients_slaves", "Memory of replica buffers."),
    "allocator_active": _gauge("allocator_active_bytes", "Memory in the allocator's pages."),
    "allocator_allocated": _gauge("allocator_allocated_bytes", "Memory handed out."),
    "allocator_resident": _gauge("allocator_resident_bytes", "Memory resident."),
    "allocator_frag_bytes": _gauge("allocator_frag_bytes", "Active minus allocated memory."),
    "allocator_frag_ratio": _gauge("allocator_frag_ratio", "Active to allocated memory."),
    "allocator_rss_bytes": _gauge("allocator_rss_bytes", "Resident minus allocator's memory."),
    "allocator_rss_ratio": _gauge("allocator_rss_ratio", "Resident to allocator's memory."),
    "active_defrag_hits": _gauge("defrag_hits", "Values moved by defragmentation."),
    "active_defrag_misses": _gauge("defrag_misses", "Values it tried in vain."),
    "active_defrag_key_hits": _gauge("defrag_key_hits", "Keys it moved."),
    "active_defrag_key_misses": _gauge("defrag_key_misses", "Keys it skipped."),
    "mem_not_counted_for_evict": _gauge(
        "mem_not_counted_for_eviction_bytes", "Memory eviction does not count."
    ),
    "number_of_cached_scripts": _gauge("number_of_cached_scripts", "Scripts in the cache."),
    "active_defrag_running": _gauge("active_defrag_running", "Defragmentation effort, percent."),
    "lazyfree_pending_objects": _gauge("lazyfree_pending_objects", "Objects yet to be freed."),
    # Persistence
    "loading": _gauge("loading_dump_file", "1 while loading a dump."),
    "rdb_changes_since_last_save": _gauge("rdb_changes_since_last_save", "Unsaved changes."),
    "rdb_bgsave_in_progress": _gauge("rdb_bgsave_in_progress", "1 while saving."),
    "rdb_last_save_time": _gauge("rdb_last_save_timestamp_seconds", "Last save, Unix time."),
    "rdb_last_bgsave_status": _gauge("rdb_last_bgsave_status", "1 when the last save was good."),
    "rdb_last_bgsave_time_sec": _gauge("rdb_last_bgsave_duration_sec", "Seconds it took."),
    "rdb_current_bgsave_time_sec": _gauge("rdb_current_bgsave_duration_sec", "Seconds so far."),
    "rdb_last_cow_size": _gauge("rdb_last_cow_size_bytes", "Memory copied by the last save."),
    "aof_enabled": _gauge("aof_enabled", "1 when the append-only file is on."),
    "aof_rewrite_in_progress": _gauge("aof_rewrite_in_progress", "1 while rewriting it."),
    "aof_rewrite_scheduled": _gauge("aof_rewrite_scheduled", "1 when a rewrite will follow."),
    "aof_last_rewrite_time_sec": _gauge("aof_last_rewrite_duration_sec", "Seconds it took."),
    "aof_current_rewrite_time_sec": _gauge("aof_current_rewrite_duration_sec", "Seconds so far."),
    "aof_last_cow_size": _gauge("aof_last_cow_size_bytes", "Memory copied by the last rewrite."),
    "aof_last_bgrewrite_status": _gauge("aof_last_bgrewrite_status", "1 when it was good."),
    "aof_last_write_status": _gauge("aof_last_write_status", "1 when the last write was good."),
    "aof_current_size": _gauge("aof_current_size_bytes", "Size of the append-only file."),
    "aof_base_size": _gauge("aof_base_size_bytes", "Its size after the last rewrite."),
    "aof_pending_rewrite": _gauge("aof_pending_rewrite", "1 when a rewrite waits for a save."),
    "aof_buffer_length": _gauge("aof_buffer_length", "Bytes waiting to be written."),
    "aof_pending_bio_fsync": _gauge("aof_pending_bio_fsync", "Syncs waiting."),
    "aof_delayed_fsync": _gauge("aof_delayed_fsync", "Syncs delayed."),
    # Statistics
    "total_connections_received": _counter("connections_received_total", "Connections accepted."),
    "total_commands_processed": COMMANDS_PROCESSED,
    "total_net_input_bytes": _counter("net_input_bytes_total", "Bytes read from clients."),
    "total_net_output_bytes": _counter("net_output_bytes_total", "Bytes sent to clients."),
    "rejected_connections": REJECTED_CONNECTIONS,
    "sync_full": _gauge("replica_resyncs_full", "Full resynchronisations of replicas."),
    "sync_partial_ok": _gauge("replica_partial_resync_accepted", "Partial ones accepted."),
    "sync_partial_err": _gauge("replica_partial_resync_denied", "Partial ones denied."),
    "expired_keys": EXPIRED_KEYS,
    "expired_stale_perc": _gauge("expired_stale_percentage", "Expired keys still in memory."),
    "expired_time_cap_reached_count": _gauge(
        "expired_time_cap_reached_total", "Expiry cycles that ran out of time."
    ),
    "evicted_keys": EVICTED_KEYS,
    "keyspace_hits": KEYSPACE_HITS,
    "keyspace_misses": KEYSPACE_MISSES,
    "pubsub_channels": _gauge("pubsub_channels", "Channels with subscribers."),
    "pubsub_patterns": _gauge("pubsub_patterns", "Patterns with subscribers."),
    "total_error_replies": _counter("total_error_replies", "Errors answered."),
    "unexpected_error_replies": _counter("unexpected_error_replies", "Unexpected errors."),
    "total_reads_processed": _counter("total_reads_processed", "Reads from sockets."),
    "total_writes_processed": _counter("total_writes_processed", "Writes to sockets."),
    "dump_payload_sanitizations": _counter("dump_payload_sanitizations", "Payloads checked."),
    "io_threaded_reads_processed": _counter("io_threaded_reads_processed", "By I/O threads."),
    "io_threaded_writes_processed": _counter("io_threaded_writes_processed", "By I/O threads."),
    "io_threads_active": _gauge("io_threads_active", "1 while I/O threads work."),
    "migrate_cached_sockets": _gauge("migrate_cached_sockets_total", "Sockets of MIGRATE."),
    "module_fork_in_progress": _gauge("module_fork_in_progress", "1 while a module forks."),
    "module_fork_last_cow_size": _gauge("module_fork_last_cow_size", "Memory it copied."),
    "slave_priority": _gauge("slave_priority", "Rank at a failover; 0 for never."),
    "slave_expires_tracked_keys": _gauge("slave_expires_tracked_keys", "Keys with a TTL here."),
    "tracking_total_keys": _gauge("tracking_total_keys", "Keys tracked for clients."),
    "tracking_total_items": _gauge("tracking_total_items", "Key and client pairs tracked."),
    "tracking_total_prefixes": _gauge("tracking_total_prefixes", "Prefixes tracked."),
    "process_id": _gauge("process_id", "Process id of the server."),
    # Replication
    "connected_slaves": _gauge("connected_slaves", "Connected replicas."),
    "master_repl_offset": _gauge("master_repl_offset", "Replication offset of the primary."),
    "second_repl_offset": _gauge("second_repl_offset", "Offset accepted from the last primary."),
    "repl_backlog_active": _gauge("repl_backlog_is_active", "1 when the backlog is kept."),
    "repl_backlog_size": _gauge("replication_backlog_bytes", "Size of the backlog."),
    "repl_backlog_first_byte_offset": _gauge(
        "repl_backlog_first_byte_offset", "First offset in the backlog."
    ),
    "repl_backlog_histlen": _gauge("repl_backlog_history_bytes", "Bytes in the backlog."),
    # Processor and cluster
    "used_cpu_sys": _counter("cpu_sys_seconds_total", "System CPU time."),
    "used_cpu_user": _counter("cpu_user_seconds_total", "User CPU time."),
    "used_cpu_sys_children": _counter("cpu_sys_children_seconds_total", "Of its children."),
    "used_cpu_user_children": _counter("cpu_user_children_seconds_total", "Of its children."),
    "used_cpu_sys_main_thread": _counter("cpu_sys_main_thread_seconds_total", "Of its thread."),
    "used_cpu_user_main_thread": _counter("cpu_user_main_thread_seconds_total", "Of its thread."),
    "cluster_enabled": _gauge("cluster_enabled", "1 in cluster mode."),
}
"""Metric by field of INFO."""

_PRIMARY = (*SERVER, "master_host", "master_port")
_REPLICA = (*SERVER, "slave_ip", "slave_port", "slave_state")

OF_PRIMARY = {
    "master_link_status": gauge(
        "redis_master_link_up", "1 while a replica is connected to its primary.", _PRIMARY
    ),
    "master_last_io_seconds_ago": gauge(
        "redis_master_last_io_seconds_ago", "Time since the primary was last heard.", _PRIMARY
    ),
    "master_sync_in_progress": gauge(
        "redis_master_sync_in_progress", "1 while a replica copies everything.", _PRIMARY
    ),
    "slave_repl_offset": gauge(
        "redis_slave_repl_offset", "Replication offset of this replica.", _PRIMARY
    ),
}
"""Metric by field of INFO on a replica."""
REPLICA_INFO = gauge(
    "redis_slave_info", "Always 1; whose replica this is.", (*_PRIMARY, "read_only")
)
REPLICA_OFFSET = gauge(
    "redis_connected_slave_offset_bytes", "Replication offset of a replica.", _REPLICA
)
REPLICA_LAG = gauge(
    "redis_connected_slave_lag_seconds", "Time since a replica was last heard.", _REPLICA
)
ERRORS = counter("redis_errors_total", "Errors answered, by their first word.", (*SERVER, "err"))
LATENCY = summary("redis_latency_percentiles_usec", "Latency by command.", _COMMAND)
SPIKE_TIME = gauge(
    "redis_latency_spike_last",
    "When the latency monitor last saw an event too slow, Unix time.",
    (*SERVER, "event_name"),
)
SPIKE_DURATION = gauge(
    "redis_latency_spike_duration_seconds",
    "How long that event took.",
    (*SERVER, "event_name"),
    unit="seconds",
)
SLOWLOG_LAST_ID = gauge("redis_slowlog_last_id", "Number of the last slow command.", SERVER)
SLOWLOG_LAST = gauge(
    "redis_last_slow_execution_duration_seconds",
    "Duration of the last slow command.",
    SERVER,
    unit="seconds",
)
LATEST_FORK = gauge(
    "redis_latest_fork_seconds", "Duration of the latest fork.", SERVER, unit="seconds"
)

FROM_CONFIG = {
    "io-threads": _gauge("config_io_threads", "I/O threads configured."),
    "maxclients": CONFIG_MAXCLIENTS,
    "maxmemory": CONFIG_MAXMEMORY,
}
"""Metric by key of CONFIG GET."""
