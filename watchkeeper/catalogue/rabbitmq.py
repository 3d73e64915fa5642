"""RabbitMQ: the names, types and labels of its own Prometheus plugin, and ``server``.

The tables say which part of the management API's answer each metric is.
"""

from watchkeeper.catalogue.metric import Kind, Metric, counter, gauge, untyped

SERVER = ("server",)
_QUEUE = (*SERVER, "vhost", "queue")

UP = gauge("rabbitmq_up", "1 when the management API answered.", SERVER)
BUILD_INFO = untyped(
    "rabbitmq_build_info",
    "Always 1; the versions.",
    (*SERVER, "rabbitmq_version", "erlang_version"),
)
IDENTITY_INFO = untyped(
    "rabbitmq_identity_info",
    "Always 1; which node of which cluster this is.",
    (*SERVER, "rabbitmq_node", "rabbitmq_cluster"),
)


def _server(kind: Kind, name: str, help_: str) -> Metric:
    return Metric(f"rabbitmq_{name}", kind, "", help_, SERVER)


def _node(name: str, help_: str) -> Metric:
    return _server(Kind.GAUGE, name, help_)


def _count(name: str, help_: str) -> Metric:
    return _server(Kind.COUNTER, f"{name}_total", help_)


def _alarm(name: str, help_: str) -> Metric:
    return _server(Kind.UNTYPED, f"alarms_{name}", help_)


FROM_TOTALS = {
    "connections": _node("connections", "Connections open."),
    "channels": _node("channels", "Channels open."),
    "consumers": _node("consumers", "Consumers."),
    "queues": _node("queues", "Queues."),
}
"""Metric by part of an overview's ``object_totals``."""

FROM_MESSAGES = {
    "publish": _count("channel_messages_published", "Messages published."),
    "confirm": _count("channel_messages_confirmed", "Messages confirmed to publishers."),
    "return_unroutable": _count(
        "channel_messages_unroutable_returned", "Messages no queue wanted, returned."
    ),
    "drop_unroutable": _count(
        "channel_messages_unroutable_dropped", "Messages no queue wanted, dropped."
    ),
    "deliver": _count(
        "channel_messages_delivered_ack", "Messages delivered that are to be acknowledged."
    ),
    "deliver_no_ack": _count("channel_messages_delivered", "Messages delivered that are not."),
    "redeliver": _count("channel_messages_redelivered", "Messages delivered again."),
    "ack": _count("channel_messages_acked", "Messages acknowledged."),
    "get": _count("channel_get_ack", "Messages fetched that are to be acknowledged."),
    "get_no_ack": _count("channel_get", "Messages fetched that are not."),
    "get_empty": _count("channel_get_empty", "Fetches that found nothing."),
}
"""Metric by part of an overview's ``message_stats``."""

FROM_NODE = {
    "fd_used": _node("process_open_fds", "Open descriptors."),
    "fd_total": _node("process_max_fds", "Descriptors allowed."),
    "sockets_used": _node("process_open_tcp_sockets", "Open TCP sockets."),
    "sockets_total": _node("process_max_tcp_sockets", "TCP sockets allowed."),
    "mem_used": _node("process_resident_memory_bytes", "Memory in use."),
    "mem_limit": _node("resident_memory_limit_bytes", "Memory at which publishers are blocked."),
    "disk_free": _node("disk_space_available_bytes", "Free disk space."),
    "disk_free_limit": _node(
        "disk_space_available_limit_bytes", "Free space at which publishers are blocked."
    ),
    "proc_used": _node("erlang_processes_used", "Erlang processes."),
    "proc_total": _node("erlang_processes_limit", "Erlang processes allowed."),
    "run_queue": _node("erlang_scheduler_run_queue", "Erlang processes waiting to run."),
    "net_ticktime": _node("erlang_net_ticktime_seconds", "Heartbeat between nodes."),
    "mem_alarm": _alarm("memory_used_watermark", "1 while memory blocks publishers."),
    "disk_free_alarm": _alarm("free_disk_space_watermark", "1 while disk blocks publishers."),
    "gc_num": _count("erlang_gc_runs", "Garbage collections."),
    "gc_bytes_reclaimed": _count("erlang_gc_reclaimed_bytes", "Memory they reclaimed."),
    "context_switches": _count("erlang_scheduler_context_switches", "Context switches."),
    "io_read_count": _count("io_read_ops", "Reads."),
    "io_read_bytes": _count("io_read_bytes", "Bytes read."),
    "io_write_count": _count("io_write_ops", "Writes."),
    "io_write_bytes": _count("io_write_bytes", "Bytes written."),
    "io_sync_count": _count("io_sync_ops", "Syncs."),
    "io_seek_count": _count("io_seek_ops", "Seeks."),
    "io_reopen_count": _count("io_reopen_ops", "Files opened again."),
    "mnesia_ram_tx_count": _count("schema_db_ram_tx", "Schema transactions in memory."),
    "mnesia_disk_tx_count": _count("schema_db_disk_tx", "Schema transactions on disk."),
    "msg_store_read_count": _count("msg_store_read", "Reads of the message store."),
    "msg_store_write_count": _count("msg_store_write", "Writes of the message store."),
    "queue_index_read_count": _count("queue_index_read_ops", "Reads of queues' indexes."),
    "queue_index_write_count": _count("queue_index_write_ops", "Writes of queues' indexes."),
    "connection_created": _count("connections_opened", "Connections opened."),
    "connection_closed": _count("connections_closed", "Connections closed."),
    "channel_created": _count("channels_opened", "Channels opened."),
    "channel_closed": _count("channels_closed", "Channels closed."),
    "queue_declared": _count("queues_declared", "Queues declared."),
    "queue_created": _count("queues_created", "Queues created."),
    "queue_deleted": _count("queues_deleted", "Queues deleted."),
}
"""Metric by part of a node."""

UPTIME = _node("erlang_uptime_seconds", "Time since the node started.")


def _queue(name: str, help_: str) -> Metric:
    return gauge(f"rabbitmq_queue_{name}", help_, _QUEUE)


MESSAGES_READY = _queue("messages_ready", "Messages that wait.")
MESSAGES_UNACKED = _queue("messages_unacked", "Messages delivered and not acknowledged.")
CONSUMERS = _queue("consumers", "Consumers.")

FROM_QUEUE = {
    "messages_ready": MESSAGES_READY,
    "messages_unacknowledged": MESSAGES_UNACKED,
    "messages": _queue("messages", "Both together."),
    "consumers": CONSUMERS,
    "consumer_capacity": _queue("consumer_capacity", "Share of time consumers could take more."),
    "consumer_utilisation": _queue("consumer_utilisation", "The same by its former name."),
    "memory": _queue("process_memory_bytes", "Memory of the queue's process."),
    "messages_ram": _queue("messages_ram", "Messages in memory."),
    "messages_ready_ram": _queue("messages_ready_ram", "Those of them that wait."),
    "messages_unacknowledged_ram": _queue(
        "messages_unacked_ram", "Those of them that are not acknowledged."
    ),
    "messages_persistent": _queue("messages_persistent", "Persistent messages."),
    "messages_paged_out": _queue("messages_paged_out", "Messages paged out."),
    "message_bytes": _queue("messages_bytes", "Size of all bodies."),
    "message_bytes_ready": _queue("messages_ready_bytes", "Of messages that wait."),
    "message_bytes_unacknowledged": _queue(
        "messages_unacked_bytes", "Of messages that are not acknowledged."
    ),
    "message_bytes_ram": _queue("messages_ram_bytes", "Of messages in memory."),
    "message_bytes_persistent": _queue("messages_persistent_bytes", "Of persistent messages."),
    "message_bytes_paged_out": _queue("messages_paged_out_bytes", "Of messages paged out."),
    "head_message_timestamp": _queue(
        "head_message_timestamp", "Time stamp of the first message, where its publisher set one."
    ),
    "reductions": counter(
        "rabbitmq_queue_process_reductions_total", "Work of the queue's process.", _QUEUE
    ),
}
"""Metric by part of a queue."""
