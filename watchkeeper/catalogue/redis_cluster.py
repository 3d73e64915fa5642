"""Redis and Valkey as a cluster's node and as a sentinel: redis_exporter's names and types."""

from watchkeeper.catalogue.metric import Metric, gauge
from watchkeeper.catalogue.redis import SERVER

_MASTER = (*SERVER, "master_name", "master_address")


def _gauge(name: str, help_: str) -> Metric:
    return gauge(f"redis_{name}", help_, SERVER)


FROM_CLUSTER_INFO = {
    "cluster_state": _gauge("cluster_state", "1 when the cluster serves requests."),
    "cluster_slots_assigned": _gauge("cluster_slots_assigned", "Slots some node serves."),
    "cluster_slots_ok": _gauge("cluster_slots_ok", "Slots of nodes in order."),
    "cluster_slots_pfail": _gauge("cluster_slots_pfail", "Slots of nodes perhaps down."),
    "cluster_slots_fail": _gauge("cluster_slots_fail", "Slots of nodes down."),
    "cluster_nodes_pfail": _gauge("cluster_nodes_pfail", "Nodes perhaps down."),
    "cluster_nodes_fail": _gauge("cluster_nodes_fail", "Nodes down."),
    "cluster_voting_nodes_pfail": _gauge("cluster_voting_nodes_pfail", "Voters perhaps down."),
    "cluster_voting_nodes_fail": _gauge("cluster_voting_nodes_fail", "Voters down."),
    "cluster_known_nodes": _gauge("cluster_known_nodes", "Nodes known to this one."),
    "cluster_size": _gauge("cluster_size", "Primaries that serve a slot."),
    "cluster_current_epoch": _gauge("cluster_current_epoch", "Epoch of the cluster."),
    "cluster_my_epoch": _gauge("cluster_my_epoch", "Epoch of this node's configuration."),
    "cluster_stats_messages_sent": _gauge("cluster_messages_sent_total", "Messages to nodes."),
    "cluster_stats_messages_received": _gauge(
        "cluster_messages_received_total", "Messages from nodes."
    ),
    "cluster_stats_bytes_sent": _gauge("cluster_stats_bytes_sent", "Bytes to nodes."),
    "cluster_stats_bytes_received": _gauge("cluster_stats_bytes_received", "Bytes from nodes."),
    "cluster_stats_pubsub_bytes_sent": _gauge(
        "cluster_stats_pubsub_bytes_sent", "Bytes of published messages to nodes."
    ),
    "cluster_stats_pubsub_bytes_received": _gauge(
        "cluster_stats_pubsub_bytes_received", "Bytes of published messages from nodes."
    ),
    "cluster_stats_module_bytes_sent": _gauge(
        "cluster_stats_module_bytes_sent", "Bytes of modules to nodes."
    ),
    "cluster_stats_module_bytes_received": _gauge(
        "cluster_stats_module_bytes_received", "Bytes of modules from nodes."
    ),
}
"""Metric by field of CLUSTER INFO."""

FROM_SENTINEL_INFO = {
    "sentinel_masters": _gauge("sentinel_masters", "Primaries this sentinel watches."),
    "sentinel_tilt": _gauge("sentinel_tilt", "1 while it distrusts its own clock."),
    "sentinel_running_scripts": _gauge("sentinel_running_scripts", "Scripts running."),
    "sentinel_scripts_queue_length": _gauge("sentinel_scripts_queue_length", "Scripts waiting."),
    "sentinel_simulate_failure_flags": _gauge(
        "sentinel_simulate_failure_flags", "Failures it was told to simulate."
    ),
}
"""Metric by field of a sentinel's INFO."""

SENTINEL_STATUS = gauge(
    "redis_sentinel_master_status",
    "1 when the sentinel holds the primary for well.",
    (*_MASTER, "master_status"),
)
SENTINEL_REPLICAS = gauge(
    "redis_sentinel_master_slaves", "Replicas of a primary, as the sentinel knows.", _MASTER
)
SENTINEL_GOOD_REPLICAS = gauge(
    "redis_sentinel_master_ok_slaves", "Those of them that are reachable.", _MASTER
)
SENTINEL_SENTINELS = gauge(
    "redis_sentinel_master_sentinels", "Sentinels that watch a primary.", _MASTER
)
SENTINEL_GOOD_SENTINELS = gauge(
    "redis_sentinel_master_ok_sentinels", "Those of them that are reachable.", _MASTER
)
SENTINEL_QUORUM = gauge(
    "redis_sentinel_master_ckquorum_status",
    "1 when the sentinels in reach are enough for a failover.",
    (*SERVER, "master_name", "message"),
)
