"""Files that other programs leave for the agent: node_exporter's names, and how each file fares."""

from watchkeeper.catalogue.metric import counter, gauge

MTIME = gauge(
    "node_textfile_mtime_seconds",
    "When the file that is told of was written, Unix time.",
    ("file",),
    unit="seconds",
)
SCRAPE_ERROR = gauge("node_textfile_scrape_error", "1 when some file could not be told of.")
SUCCESS = gauge(
    "watchkeeper_textfile_success",
    "1 when what the file says now is told; 0 when it cannot be.",
    ("file",),
)
AGE = gauge(
    "watchkeeper_textfile_age_seconds",
    "Age of what is told of the file: since it was written.",
    ("file",),
    unit="seconds",
)
ERRORS = counter(
    "watchkeeper_textfile_errors_total",
    "Runs in which a file could not be told of, by reason.",
    ("file", "reason"),
)
