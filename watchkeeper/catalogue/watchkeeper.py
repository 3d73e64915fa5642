"""Watchkeeper about itself."""

from watchkeeper.catalogue.metric import counter, gauge, histogram

BUILD_INFO = gauge(
    "watchkeeper_build_info", "Always 1; the version is a label.", ("service", "version")
)
READY = gauge("watchkeeper_ready", "1 when the service is doing its job.", ("service",))
CONFIG_RELOAD_OK = gauge(
    "watchkeeper_config_last_reload_successful", "0 while a changed file cannot be used.", ("file",)
)
CONFIG_RELOAD_TIME = gauge(
    "watchkeeper_config_last_reload_success_timestamp_seconds",
    "When the configuration in force was read.",
    ("file",),
    unit="seconds",
)

COLLECTOR_SUCCESS = gauge(
    "watchkeeper_collector_success", "1 when the collector's last run succeeded.", ("collector",)
)
COLLECTOR_DURATION = gauge(
    "watchkeeper_collector_duration_seconds",
    "Duration of the collector's last run; its age so far while one hangs.",
    ("collector",),
    unit="seconds",
)
COLLECTOR_LAST_SUCCESS = gauge(
    "watchkeeper_collector_last_success_age_seconds",
    "Time since the collector last succeeded; the age of its samples.",
    ("collector",),
    unit="seconds",
)
COLLECTOR_SERIES = gauge(
    "watchkeeper_collector_series", "Series the collector exposes.", ("collector",)
)
COLLECTOR_DROPPED = counter(
    "watchkeeper_collector_dropped_series_total",
    "Series cut because the collector exceeded its cap.",
    ("collector",),
)
COLLECTOR_ERRORS = counter(
    "watchkeeper_collector_errors_total", "Failed runs by reason.", ("collector", "reason")
)

OTLP_BUFFERED = gauge("watchkeeper_otlp_buffered_messages", "Messages waiting to be pushed.")
OTLP_BUFFERED_BYTES = gauge(
    "watchkeeper_otlp_buffered_bytes", "What they take on disk.", unit="bytes"
)
OTLP_PUSHED = counter("watchkeeper_otlp_pushed_total", "Messages the receiver took.")
OTLP_DROPPED = counter(
    "watchkeeper_otlp_dropped_total",
    "Messages given up on: no room (buffer), not written or not readable (storage), refused by the "
    "receiver, or never made (unexpected).",
    ("reason",),
)
OTLP_REJECTED_POINTS = counter(
    "watchkeeper_otlp_rejected_points_total", "Points the receiver left out of messages it took."
)
OTLP_PUSH_OK = gauge(
    "watchkeeper_otlp_last_push_successful",
    "0 while the receiver cannot be reached or refuses, or no message can be made or buffered.",
)

ALERTS_RECEIVED = counter(
    "watchkeeper_alerts_received_total", "Alerts accepted, by status.", ("status",)
)
ALERTS_INVALID = counter("watchkeeper_alerts_invalid_total", "Alerts refused as malformed.")
ALERTS_HEALED = counter(
    "watchkeeper_alerts_healed_total",
    "Alerts that fired in Prometheus and whose push had been lost.",
)
RECONCILIATIONS = counter(
    "watchkeeper_reconciliations_total",
    "Comparisons with Prometheus' own list of alerts, by outcome (ok, or the reason of the error).",
    ("outcome",),
)
INCIDENTS = gauge("watchkeeper_incidents", "Open incidents by severity.", ("severity",))
INCIDENTS_OPENED = counter("watchkeeper_incidents_opened_total", "Incidents opened.", ("severity",))
OUTBOX_PENDING = gauge(
    "watchkeeper_outbox_pending", "Deliveries waiting to be sent or retried.", ("receiver",)
)
OUTBOX_OLDEST = gauge(
    "watchkeeper_outbox_oldest_pending_seconds",
    "Age of the oldest delivery not yet made.",
    ("receiver",),
    unit="seconds",
)
DELIVERIES = counter(
    "watchkeeper_deliveries_total",
    "Delivery attempts by outcome (delivered, retried, dead).",
    ("receiver", "outcome"),
)
DEAD_LETTERS = gauge("watchkeeper_dead_letters", "Deliveries given up on.", ("receiver",))
CIRCUIT_OPEN = gauge(
    "watchkeeper_circuit_open", "1 while a receiver is left alone for a while.", ("receiver",)
)
DUPLICATES_AVOIDED = counter(
    "watchkeeper_duplicates_avoided_total",
    "Messages and actions not made a second time, by what told (renewal, lease, question).",
    ("kind",),
)
HEARTBEATS = counter(
    "watchkeeper_heartbeats_total",
    "Signs of life sent out, by outcome (ok, withheld, or the reason of the error).",
    ("outcome",),
)
REQUESTS_LIMITED = counter(
    "watchkeeper_requests_limited_total",
    "Requests refused because their caller asked too often (requests, wrong-tokens), or because "
    "too many were waiting (overload).",
    ("kind",),
)
ROWS_PRUNED = counter(
    "watchkeeper_rows_pruned_total", "Old entries that retention deleted, by kind.", ("kind",)
)
DELIVERY_LATENCY = histogram(
    "watchkeeper_delivery_latency_seconds",
    "Time from accepting an alert to the delivery being made.",
    ("receiver",),
    unit="seconds",
)
ACTIONS = counter(
    "watchkeeper_actions_total",
    "Remediation actions by final state.",
    ("rule", "action", "state"),
)
ACTION_DENIALS = counter(
    "watchkeeper_action_denials_total", "Actions a guard refused.", ("rule", "guard")
)
ACTIONS_PAUSED = gauge("watchkeeper_actions_paused", "1 while the kill switch stops all actions.")
ACTION_PAUSES = gauge(
    "watchkeeper_action_pauses", "Rules and targets that the kill switch stops.", ("scope",)
)
ACTION_BUDGET_LEFT = gauge(
    "watchkeeper_action_budget_left", "Actions that a rule's budget allows now.", ("rule",)
)
DETECT_TO_NOTIFY = histogram(
    "watchkeeper_notify_seconds",
    "Time from an alert starting to its first message being delivered.",
    (),
    unit="seconds",
)
RECOVERY = histogram(
    "watchkeeper_recovery_seconds",
    "Time from an alert starting to its remediation being verified.",
    ("rule", "action"),
    unit="seconds",
)

ENDPOINT_CALLS = counter(
    "watchkeeper_endpoint_calls_total",
    "Calls to the remediation endpoint by action and outcome.",
    ("action", "outcome"),
)
ENDPOINT_DURATION = histogram(
    "watchkeeper_endpoint_action_seconds",
    "Duration of an actuator's work.",
    ("action",),
    unit="seconds",
)
