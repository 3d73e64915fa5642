"""A small Celery application whose prefork worker reports as the guide says."""

from __future__ import annotations

import os

import celery
import celery.signals
from celery.signals import (
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_shutdown,
)

from watchkeeper.instrument import Instrumentation
from watchkeeper.instrument.multiprocess import Reporter, spawn_aggregator

SOCKET = os.environ["SHOP_SOCKET"]

app = celery.Celery("shop_tasks", broker=os.environ["SHOP_BROKER"])
app.conf.update(task_default_queue="orders", task_ignore_result=True)
instrumentation = Instrumentation("shop")
instrumentation.celery.connect(celery.signals)
reporters = []


@app.task
def cook(fails):
    if fails:
        raise ValueError("burnt")


def report(**_):
    reporters.append(Reporter(instrumentation.registry, SOCKET, interval_seconds=0.05))
    reporters[-1].start()


def end(**_):
    reporters[-1].stop()


@worker_init.connect
def start(**_):
    app.aggregator = spawn_aggregator(SOCKET, os.environ["SHOP_METRICS"])
    report()


worker_shutdown.connect(end)
worker_process_init.connect(report)
worker_process_shutdown.connect(end)
