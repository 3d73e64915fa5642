"""Task queues and hand-over between agents."""

from watchkeeper.catalogue.metric import counter, gauge, histogram

CREATED = counter("task_created_total", "Tasks put on a queue.", ("service", "queue", "task"))
STARTED = counter("task_started_total", "Tasks a worker began.", ("service", "queue", "task"))
FINISHED = counter(
    "task_finished_total",
    "Tasks that ended, by outcome (succeeded, failed, rejected, revoked, missed).",
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
DEAD_LETTERED = counter(
    "task_dead_lettered_total",
    "Tasks given up on and set aside.",
    ("service", "queue", "task"),
)
MISSED_SCHEDULES = counter(
    "task_missed_schedules_total",
    "Runs of a schedule left out, by reason (misfire, still_running).",
    ("service", "queue", "task", "reason"),
)
IN_FLIGHT = gauge("task_in_flight", "Tasks being worked on right now.", ("service", "queue"))
OLDEST_RUNNING = gauge(
    "task_oldest_running_seconds",
    "How long the task that runs longest has been running; 0 when none does.",
    ("service", "queue"),
    unit="seconds",
)
SLOTS = gauge(
    "task_worker_slots", "How many tasks a worker can work on at the same time.", ("service",)
)
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
