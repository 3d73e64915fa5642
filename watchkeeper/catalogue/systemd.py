"""systemd's units: node_exporter's names."""

from watchkeeper.catalogue.metric import counter, gauge

UNIT_STATE = gauge(
    "node_systemd_unit_state", "1 for the state a unit is in.", ("name", "state", "type")
)
UNITS = gauge("node_systemd_units", "Units by state, those not told of included.", ("state",))
SYSTEM_RUNNING = gauge(
    "node_systemd_system_running", "1 when the system is up and no unit has failed."
)
VERSION = gauge("node_systemd_version", "systemd's version as a number.", ("version",))
VIRTUALIZATION = gauge(
    "node_systemd_virtualization_info",
    "Always 1; what the machine runs in, if it is virtual.",
    ("virtualization_type",),
)
TIMER_LAST_TRIGGER = gauge(
    "node_systemd_timer_last_trigger_seconds",
    "When a timer last elapsed, Unix time.",
    ("name",),
    unit="seconds",
)
SOCKET_ACCEPTED = counter(
    "node_systemd_socket_accepted_connections_total", "Connections accepted.", ("name",)
)
SOCKET_CURRENT = gauge("node_systemd_socket_current_connections", "Connections now.", ("name",))
SOCKET_REFUSED = gauge(
    "node_systemd_socket_refused_connections_total", "Connections refused.", ("name",)
)
