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
WORKERS_BUSY = gauge("task_workers_busy", "Those of them that work on a task.", ("queue",))
QUEUE_DELAYED = gauge(
    "task_queue_delayed",
    "Tasks that are not due yet: an ETA, or a pause before a retry.",
    ("queue",),
)
QUEUE_IN_FLIGHT = gauge(
    "task_queue_in_flight",
    "Tasks that a worker took and has not acknowledged, as the broker knows.",
    ("queue",),
)
QUEUE_OLDEST_IN_FLIGHT = gauge(
    "task_queue_oldest_in_flight_seconds",
    "Time since the longest of them was taken; 0 when there is none.",
    ("queue",),
    unit="seconds",
)
QUEUE_STUCK = gauge(
    "task_queue_stuck", "Those of them whose worker is gone; nobody works on them.", ("queue",)
)
DEAD_LETTERS = gauge(
    "task_queue_dead_letters", "Tasks given up on and set aside on the broker.", ("queue",)
)
EVENT_GAP = gauge(
    "task_event_gap",
    "Tasks, at least, that left the queues by the broker's count and no worker's event told of.",
    ("broker",),
)
LAST_EVENT_AGE = gauge(
    "task_last_event_age_seconds",
    "Time since any worker told of a task (heartbeats do not); absent until one did.",
    ("broker",),
    unit="seconds",
)
