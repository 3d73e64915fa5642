"""The background jobs' names, and the Celery application that carries them."""

from __future__ import annotations

from celery import Celery

QUEUE = "work"
PREPARE = "taskboard.prepare"
NOTIFY = "taskboard.notify"

VISIBILITY_SECONDS = 60
"""After this, the jobs a killed worker held go to another. Must exceed the longest job."""


def create_celery(redis_url: str) -> Celery:
    """Return the application that publishers send through and workers listen with."""
    celery = Celery("taskboard", broker=redis_url, set_as_current=False)
    celery.conf.update(
        task_default_queue=QUEUE,
        task_ignore_result=True,
        # A job is gone from the queue only when it is done: a killed worker loses none.
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_SECONDS,
            "socket_connect_timeout": 3,
            "socket_timeout": 10,
        },
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0.2},
        worker_hijack_root_logger=False,
    )
    return celery
