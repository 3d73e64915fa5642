"""Task queues and hand-over between agents."""

from watchkeeper.catalogue.metric import counter, gauge, histogram

CREATED = counter("task_created_total", "Tasks put on a queue.", ("service", "queue", "task"))
STARTED = counter("task_started_total", "Tasks a worker began.", ("service", "queue", "task"))
FINISHED = counter(
    "task_finished_total",
    "Tasks that ended, by outcome (succeeded, failed, rejected, revoked).",
    ("service", "queue", "task", "outcome"),
)
RETRIED = counter(
    "task_retried_total",
    "Times a task was put back to be tried again.",
    ("service", "queue", "task"),
)
WAIT = histogram(
    "task_wait_seconds",
    "Time from publishing a task to a worker beginning it, without intended delay.",
    ("service", "queue", "task"),
    unit="seconds",
)
RUN = histogram(
    "task_run_seconds",
    "Time a worker spent on a task, by outcome (also retried).",
    ("service", "queue", "task", "outcome"),
    unit="seconds",
)
IN_FLIGHT = gauge("task_in_flight", "Tasks being worked on right now.", ("service", "queue"))
HANDOFF = histogram(
    "task_handoff_seconds",
    "Time from one agent handing a task over to the other accepting it.",
    ("service", "source", "target"),
    unit="seconds",
)
SYNC_LAG = gauge(
    "task_sync_lag_seconds",
    "How far a replica is behind the agent it copies from; 0 when it has everything.",
    ("service", "source", "target"),
    unit="seconds",
)
CLOCK_SKEW = counter(
    "task_clock_skew_total",
    "Intervals that came out negative because two clocks disagree, by measure (wait, handoff).",
    ("service", "measure"),
)
QUEUE_DEPTH = gauge("task_queue_depth", "Tasks waiting on the broker.", ("queue",))
OLDEST_AGE = gauge(
    "task_queue_oldest_age_seconds",
    "Age of the oldest task waiting on the broker; 0 for an empty queue.",
    ("queue",),
    unit="seconds",
)
WORKERS = gauge("task_workers", "Workers that listen to a queue.", ("queue",))
CELERY_QUEUE_LENGTH = gauge(
    "celery_queue_length", "Tasks waiting on the broker; celery-exporter's name.", ("queue_name",)
)
