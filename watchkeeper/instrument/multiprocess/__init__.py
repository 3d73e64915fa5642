"""One /metrics for a server of several processes (gunicorn, Celery prefork).

The parent starts an aggregator, each worker reports to it:

    # gunicorn.conf.py
    from watchkeeper.instrument.multiprocess import Reporter, spawn_aggregator

    def on_starting(server):
        server.aggregator = spawn_aggregator("/run/shop/metrics.sock", "127.0.0.1:8321")

    def post_worker_init(worker):
        from shop import instrumentation
        worker.reporter = Reporter(instrumentation.registry, "/run/shop/metrics.sock")
        worker.reporter.start()

    def worker_exit(server, worker):
        worker.reporter.stop()

For Celery prefork the same goes into ``worker_init``, ``worker_process_init`` and
``worker_process_shutdown``.

What the parent had counted when it forked a worker is not the worker's and is left out. Workers
send what was added since their last report, so the totals outlive every worker, nothing is written
to disk, and a scrape costs the same however many workers have come and gone. A worker that is
killed takes with it what it counted in its last second.
"""

from watchkeeper.instrument.multiprocess.aggregator import spawn_aggregator
from watchkeeper.instrument.multiprocess.reporter import Reporter

__all__ = ["Reporter", "spawn_aggregator"]
