"""The one object an application makes: its registry and its instruments, each made on first use."""

from __future__ import annotations

from functools import cached_property

from prometheus_client import CollectorRegistry, Counter

from watchkeeper.catalogue import tasks
from watchkeeper.instrument.apscheduler import ApschedulerTasks
from watchkeeper.instrument.cache import CacheMetrics
from watchkeeper.instrument.celery import CeleryTasks
from watchkeeper.instrument.database import DatabaseMetrics
from watchkeeper.instrument.dramatiq import DramatiqTasks
from watchkeeper.instrument.exposition import OperationalPages, Problems
from watchkeeper.instrument.guard import Guard
from watchkeeper.instrument.handoff import HandoffMetrics
from watchkeeper.instrument.http import HttpMetrics
from watchkeeper.instrument.http_client import HttpClientMetrics
from watchkeeper.instrument.multiprocess.inheritance import note_before_forks
from watchkeeper.instrument.pools import PoolMetrics
from watchkeeper.instrument.process import watch_process
from watchkeeper.instrument.rq import RqTasks
from watchkeeper.instrument.tasks import TaskMetrics


class Instrumentation:
    """The instruments of one process of a service.

    Args:
        service: the application's name, the ``service`` label of all it reports.
        registry: where the metrics go; a new one by default.
        declared_memory_bytes: what the application's configuration allows the process, if anything.
    """

    def __init__(
        self,
        service: str,
        *,
        registry: CollectorRegistry | None = None,
        declared_memory_bytes: int | None = None,
    ) -> None:
        self.service = service
        self.registry = registry or CollectorRegistry()
        self._guard = Guard(self.registry)
        note_before_forks(self.registry, self._guard)
        watch_process(service, self.registry, declared_memory_bytes=declared_memory_bytes)

    @cached_property
    def http(self) -> HttpMetrics:
        """HTTP requests served."""
        return HttpMetrics(self.service, self.registry, self._guard)

    @cached_property
    def http_client(self) -> HttpClientMetrics:
        """HTTP requests made."""
        return HttpClientMetrics(self.service, self.registry, self._guard)

    @cached_property
    def pools(self) -> PoolMetrics:
        """Connection pools."""
        return PoolMetrics(self.service, self.registry, self._guard)

    @cached_property
    def database(self) -> DatabaseMetrics:
        """Database calls."""
        return DatabaseMetrics(self.service, self.registry, self._guard)

    @cached_property
    def caches(self) -> CacheMetrics:
        """Caches."""
        return CacheMetrics(self.service, self.registry, self._guard)

    @cached_property
    def tasks(self) -> TaskMetrics:
        """Tasks of whatever queue; for a queue of your own, report to it yourself."""
        return TaskMetrics(self.service, self.registry, self._guard, self._skew)

    @cached_property
    def celery(self) -> CeleryTasks:
        """Celery tasks."""
        return CeleryTasks(self.tasks)

    @cached_property
    def rq(self) -> RqTasks:
        """RQ jobs."""
        return RqTasks(self.tasks)

    @cached_property
    def dramatiq(self) -> DramatiqTasks:
        """dramatiq messages."""
        return DramatiqTasks(self.tasks)

    @cached_property
    def apscheduler(self) -> ApschedulerTasks:
        """Jobs of APScheduler 3."""
        return ApschedulerTasks(self.tasks)

    @cached_property
    def handoffs(self) -> HandoffMetrics:
        """Hand-over between agents."""
        return HandoffMetrics(self.service, self.registry, self._guard, self._skew)

    @cached_property
    def _skew(self) -> Counter:
        return tasks.CLOCK_SKEW.counter(self.registry)

    def pages(self, problems: Problems = dict, *, control_token: str = "") -> OperationalPages:
        """Return /metrics, /healthz and /readyz, and with a token those under /control.

        Args:
            problems: asked at each /readyz why the service is not doing its job; empty means ready.
            control_token: of at least 24 characters; lets who shows it from this machine have
                garbage collected, the heap counted and log levels set. Empty: no such pages.
        """
        return OperationalPages(self.service, self.registry, problems, control_token=control_token)
