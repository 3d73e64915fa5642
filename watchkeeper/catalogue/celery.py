"""Celery as celery-exporter names it, from workers' events; host names on worker gauges only."""

from watchkeeper.catalogue.metric import counter, gauge, histogram

_TASK = ("name", "queue_name")
_WORKER = ("hostname",)

QUEUE_LENGTH = gauge("celery_queue_length", "Tasks waiting on the broker.", ("queue_name",))
WORKER_COUNT = gauge(
    "celery_active_worker_count", "Workers that listen to a queue.", ("queue_name",)
)
CONSUMER_COUNT = gauge(
    "celery_active_consumer_count", "Consumers of a queue on RabbitMQ.", ("queue_name",)
)
TASK_RUNTIME = histogram(
    "celery_task_runtime", "Time that tasks that succeeded took, in seconds.", _TASK
)
WORKER_UP = gauge("celery_worker_up", "1 while a worker's heartbeat is heard.", _WORKER)
WORKER_ACTIVE = gauge("celery_worker_tasks_active", "Tasks a worker works on.", _WORKER)

FROM_EVENT = {
    "task-sent": counter("celery_task_sent_total", "Tasks published.", _TASK),
    "task-received": counter("celery_task_received_total", "Tasks taken by a worker.", _TASK),
    "task-started": counter("celery_task_started_total", "Tasks begun.", _TASK),
    "task-succeeded": counter("celery_task_succeeded_total", "Tasks that succeeded.", _TASK),
    "task-failed": counter(
        "celery_task_failed_total", "Tasks that failed, by exception.", (*_TASK, "exception")
    ),
    "task-rejected": counter("celery_task_rejected_total", "Tasks refused by a worker.", _TASK),
    "task-revoked": counter("celery_task_revoked_total", "Tasks cancelled.", _TASK),
    "task-retried": counter("celery_task_retried_total", "Tasks to be tried again.", _TASK),
}
"""Metric by type of a worker's event."""
