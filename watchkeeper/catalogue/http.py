"""HTTP servers and clients: OpenTelemetry semantic conventions in their Prometheus spelling."""

from watchkeeper.catalogue.metric import counter, gauge, histogram

REQUEST_DURATION = histogram(
    "http_server_request_duration_seconds",
    "Duration of HTTP server requests, by route template; unmatched routes share one label.",
    ("service", "http_request_method", "http_route", "http_response_status_code"),
    unit="seconds",
)
ACTIVE_REQUESTS = gauge(
    "http_server_active_requests",
    "HTTP server requests being served right now.",
    ("service", "http_request_method"),
)
CLIENT_REQUEST_DURATION = histogram(
    "http_client_request_duration_seconds",
    "Duration of HTTP requests as the client sees them; error_type is empty for an answer.",
    (
        "service",
        "server_address",
        "http_request_method",
        "http_response_status_code",
        "error_type",
    ),
    unit="seconds",
)
POOL_CONNECTIONS = gauge(
    "db_client_connection_count",
    "Connections of a client-side pool by state (idle, used).",
    ("service", "db_client_connection_pool_name", "db_client_connection_state"),
)
POOL_MAX = gauge(
    "db_client_connection_max",
    "The most connections a client-side pool may open.",
    ("service", "db_client_connection_pool_name"),
)
POOL_PENDING = gauge(
    "db_client_connection_pending_requests",
    "Callers waiting for a connection of the pool.",
    ("service", "db_client_connection_pool_name"),
)
POOL_TIMEOUTS = counter(
    "db_client_connection_timeouts_total",
    "Times a caller gave up waiting for a connection of the pool.",
    ("service", "db_client_connection_pool_name"),
)
POOL_WAIT = histogram(
    "db_client_connection_wait_time_seconds",
    "Time a caller waited for a connection of the pool.",
    ("service", "db_client_connection_pool_name"),
    unit="seconds",
)
DB_OPERATION_DURATION = histogram(
    "db_client_operation_duration_seconds",
    "Duration of database calls as the client sees them.",
    ("service", "db_system_name", "db_operation_name"),
    unit="seconds",
)
