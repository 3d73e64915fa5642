"""What the anomaly service says of the series it watches."""

from watchkeeper.catalogue.metric import counter, gauge, histogram

SCORE = gauge(
    "anomaly_score",
    "How unusual a series is now; above 1 is anomalous, whichever detector scored.",
    ("query", "detector", "series"),
)
EXPECTED = gauge("anomaly_expected", "The value expected of a series now.", ("query", "series"))
LOWER = gauge("anomaly_lower", "Lower edge of the expected band.", ("query", "series"))
UPPER = gauge("anomaly_upper", "Upper edge of the expected band.", ("query", "series"))
ACTUAL = gauge("anomaly_actual", "The value the score was computed from.", ("query", "series"))
STATE = gauge(
    "anomaly_state",
    "1 for the state a series is in (warming, ready, stale, absent), 0 for the others.",
    ("query", "series", "state"),
)
MISSING = gauge(
    "anomaly_missing",
    "1 while a series of a query that tells of absence is absent, 0 while it is there.",
    ("query", "series"),
)
ALERTING = gauge(
    "anomaly_alerting",
    "1 while an anomaly alert is being sent for the series.",
    ("query", "series"),
)
EVALUATION_SECONDS = histogram(
    "anomaly_evaluation_seconds",
    "Duration of one evaluation of a query.",
    ("query",),
    unit="seconds",
)
EVALUATIONS = counter(
    "anomaly_evaluations_total",
    "Evaluations by outcome (ok, or the reason of the error).",
    ("query", "outcome"),
)
LAG = gauge(
    "anomaly_lag_seconds",
    "Age of the newest scored sample of a query.",
    ("query",),
    unit="seconds",
)
MISFIRES = counter(
    "anomaly_misfires_total", "Scheduled runs that were skipped or merged, by job.", ("job",)
)
SERIES = gauge("anomaly_series", "Series a query watches, by state.", ("query", "state"))
ANOMALOUS_SERIES = gauge(
    "anomaly_anomalous_series", "Series of a query that score above 1 now.", ("query",)
)
GROUP_RATE = gauge(
    "anomaly_group_anomalous_ratio",
    "Share of a group's ready series that score above 1 now.",
    ("query", "group"),
    unit="ratio",
)
DROPPED_SERIES = counter(
    "anomaly_dropped_series_total",
    "Series left out because a query exceeded its maximum.",
    ("query",),
)
ALERT_POSTS = counter(
    "anomaly_alert_posts_total",
    "Messages to alerting by outcome (ok, or the reason of the error).",
    ("outcome",),
)
REMOTE_WRITE_SAMPLES = counter(
    "anomaly_remote_write_samples_total",
    "Samples written to the remote-write receiver by outcome (ok, dropped, or why not).",
    ("outcome",),
)
LONGEST_HORIZON_SECONDS = 30 * 86_400.0
"""No forecast looks further ahead, so that whoever draws one has a number for out of sight."""

FORECAST_TIME_TO_LIMIT = gauge(
    "anomaly_forecast_time_to_limit_seconds",
    "Time until this share of a series' likely futures is at its limit; +Inf beyond the horizon.",
    ("forecast", "series", "quantile"),
    unit="seconds",
)
FORECAST_WARNING = gauge(
    "anomaly_forecast_warning",
    "1 where a limit is near and nearly every likely future of the series reaches it, 0 elsewhere.",
    ("forecast", "series"),
)
FORECAST_AGE = gauge(
    "anomaly_forecast_age_seconds", "Age of the newest forecast.", ("forecast",), unit="seconds"
)
FORECASTS = counter(
    "anomaly_forecasts_total",
    "Forecasts by outcome (ok, out-of-time, or the reason of the error).",
    ("forecast", "outcome"),
)
