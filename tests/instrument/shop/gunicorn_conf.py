"""gunicorn's configuration for the shop, as the guide says."""

from __future__ import annotations

import os

from watchkeeper.instrument.multiprocess import Reporter, spawn_aggregator

SOCKET = os.environ["SHOP_SOCKET"]

workers = 2
preload_app = os.environ["SHOP_PRELOAD"] == "1"
max_requests = int(os.environ["SHOP_MAX_REQUESTS"])


def on_starting(server):
    server.aggregator = spawn_aggregator(SOCKET, os.environ["SHOP_METRICS"])


def post_worker_init(worker):
    from shop_web import instrumentation

    worker.reporter = Reporter(instrumentation.registry, SOCKET, interval_seconds=0.05)
    worker.reporter.start()


def worker_exit(server, worker):
    worker.reporter.stop()
