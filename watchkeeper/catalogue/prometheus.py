"""What Prometheus says of its targets, alerts and itself."""

from watchkeeper.catalogue.metric import counter, gauge

UP = gauge("up", "1 when the last scrape of a target succeeded.", ("job", "instance"))
ALERTS = gauge(
    "ALERTS", "1 for each pending or firing alert.", ("alertname", "alertstate", "severity")
)
SCRAPE_DURATION = gauge(
    "scrape_duration_seconds", "Duration of the last scrape.", ("job", "instance"), unit="seconds"
)
SCRAPE_SAMPLES = gauge("scrape_samples_scraped", "Samples in the last scrape.", ("job", "instance"))
HEAD_SERIES = gauge("prometheus_tsdb_head_series", "Series in Prometheus' head block.")
NOTIFICATIONS_DROPPED = counter(
    "prometheus_notifications_dropped_total", "Alerts Prometheus could not send."
)
RULE_FAILURES = counter(
    "prometheus_rule_evaluation_failures_total",
    "Failed evaluations by rule group.",
    ("rule_group",),
)
OBJECTIVE_BAD = gauge(
    "service:objective_bad:rate_1m",
    "Events a second that broke a promise, recorded by rule.",
    ("service", "objective"),
)
OBJECTIVE_EVENTS = gauge(
    "service:objective_events:rate_1m",
    "Events a second a promise is about, recorded by rule.",
    ("service", "objective"),
)
OBJECTIVE_ERRORS = gauge(
    "service:objective_errors:ratio",
    "Share of the events of a window that broke a promise, recorded by rule.",
    ("service", "objective", "window"),
    unit="ratio",
)
