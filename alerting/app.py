"""Puts the alerting service together from its parts."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler

from alerting import actions, anomaly_feedback, api, notifiers, outbox, pipeline
from alerting.anomaly_feedback import AnomalyFeedback
from alerting.configuration import Configuration
from alerting.courier import Courier
from alerting.evidence import chart_of
from alerting.heartbeat import Heartbeat
from alerting.notifiers.notifier import Notifier
from alerting.overload import INTAKE, refuse_when_overloaded
from alerting.reconciler import Reconciler
from alerting.remediator import Remediator
from alerting.retention import Retention
from alerting.router import Router
from alerting.store import Store
from alerting.telemetry import StoreCollector, Telemetry
from watchkeeper import addresses
from watchkeeper.clock import Clock, SystemClock
from watchkeeper.peers import Peer
from watchkeeper.prometheus import PrometheusClient
from watchkeeper.rate_limit import CallerLimits
from watchkeeper.serving import Service
from watchkeeper.shared_clock import SharedClock
from watchkeeper.storage import writing
from watchkeeper.worker import Worker

EXPIRY_SECONDS = 1.0
REVIEW_SECONDS = 2.0
RELOAD_SECONDS = 2.0
RECONCILE_SECONDS = 20.0
ESCALATE_SECONDS = 5.0
REMIND_SECONDS = 15.0
HEARTBEAT_SECONDS = 1.0
"""How often is looked whether one is due."""
RETENTION_SECONDS = 600.0
REMEDIATORS = ("remediator-1", "remediator-2")
"""Threads that take actions further: one slow endpoint must not hold up every other action."""
STOP_SECONDS = 5.0


class Alerting:
    """The whole service: its HTTP shell, its workers and its clockwork.

    Args:
        alerting_file, remediation_file: the configuration.
        data_dir: where the database lies unless replicas share one; held by one process.
        clock: the machine's, unless a test moves it.
    """

    def __init__(
        self,
        alerting_file: Path,
        remediation_file: Path,
        *,
        data_dir: Path,
        clock: Clock | None = None,
    ) -> None:
        self.service = Service("alerting", import_name=__name__)
        registry = self.service.registry
        self.configuration = Configuration(
            alerting_file, remediation_file, registry=registry, clock=clock or SystemClock()
        )
        database = self.configuration.alerting.database
        self.store = Store(data_dir, url=database.reveal() if database else "")
        self.clock = clock or (
            SharedClock(self.store.engine) if self.store.is_shared else SystemClock()
        )
        self.telemetry = Telemetry(registry)
        registry.register(
            StoreCollector(
                self.store.engine,
                self.clock,
                self._receivers,
                lambda: self.configuration.remediation,
            )
        )
        prometheus = PrometheusClient(addresses.url_of("prometheus"), timeout_seconds=5.0)
        self.router = self._make_router()
        self.reconciler = self._make_reconciler(prometheus)
        self.remediator = self._make_remediator(prometheus)
        self.retention = self._make_retention()
        self.heartbeat = self._make_heartbeat()
        self._limit_callers()
        pipeline.stages()  # loaded now, so that a running service does not meet newer files
        self._workers: dict[str, Worker] = {}
        # APScheduler is only a clock here: what is due is decided by the database.
        self._schedule = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1}
        )
        api.register(self)

    def _make_router(self) -> Router:
        return Router(
            engine=self.store.engine,
            clock=self.clock,
            configuration=self.configuration,
            telemetry=self.telemetry,
            on_commit=self._wake_for,
        )

    def _make_reconciler(self, prometheus: PrometheusClient) -> Reconciler:
        return Reconciler(
            engine=self.store.engine,
            clock=self.clock,
            prometheus=prometheus,
            accept=self.router.accept,
            telemetry=self.telemetry,
        )

    def _make_remediator(self, prometheus: PrometheusClient) -> Remediator:
        return Remediator(
            engine=self.store.engine,
            clock=self.clock,
            configuration=self.configuration,
            prometheus=prometheus,
            telemetry=self.telemetry,
        )

    def _make_retention(self) -> Retention:
        return Retention(
            engine=self.store.engine,
            clock=self.clock,
            settings=lambda: self.configuration.alerting.retention,
            on_pruned=self.telemetry.pruned,
        )

    def _make_heartbeat(self) -> Heartbeat:
        return Heartbeat(
            clock=self.clock,
            settings=lambda: self.configuration.alerting,
            problems=self.service.readiness.problems,
            telemetry=self.telemetry,
        )

    def _limit_callers(self) -> None:
        self.service.limits = CallerLimits(
            self.clock,
            rates=lambda: self.configuration.alerting.rate_limits.rates,
            unlimited=INTAKE,
            on_refused=self.telemetry.limited,
        )
        refuse_when_overloaded(
            self.service.app,
            lambda: self.service.waiting_requests,
            lambda: self.telemetry.limited("overload"),
        )

    def start(self) -> None:
        """Take over what an earlier process left undone, and begin."""
        if not self.store.is_shared:
            with writing(self.store.engine) as connection:
                outbox.release_all(connection)
                actions.release_all(connection)
        for name in REMEDIATORS:
            self._employ(name, self._remediate)
        self._employ_couriers()
        self._employ_feedback_courier()
        self._schedule.add_job(self.router.expire, "interval", seconds=EXPIRY_SECONDS)
        self._schedule.add_job(self.reconciler.run, "interval", seconds=RECONCILE_SECONDS)
        self._schedule.add_job(self.router.review, "interval", seconds=REVIEW_SECONDS)
        self._schedule.add_job(self.router.escalate, "interval", seconds=ESCALATE_SECONDS)
        self._schedule.add_job(self.router.remind, "interval", seconds=REMIND_SECONDS)
        self._schedule.add_job(self.heartbeat.run, "interval", seconds=HEARTBEAT_SECONDS)
        self._schedule.add_job(self.retention.run, "interval", seconds=RETENTION_SECONDS)
        self._schedule.add_job(self._reload, "interval", seconds=RELOAD_SECONDS)
        self._schedule.start()
        self.service.readiness.add("database", self.store.problem)

    def stop(self) -> None:
        """Finish the steps under way; what is left is on disk and continues at the next start."""
        if self._schedule.running:
            self._schedule.shutdown(wait=False)
        for worker in self._workers.values():
            worker.stop(timeout_seconds=STOP_SECONDS)
        self.store.close()

    def wake(self) -> None:
        """Let every worker look for work now."""
        for worker in list(self._workers.values()):
            worker.wake()

    def _wake_for(self, receivers: Collection[str]) -> None:
        """Wake whom a batch of alerts may have given work: in a storm, every look costs."""
        woken = {f"courier-{name}" for name in receivers}
        if self.configuration.remediation.rules:
            woken |= set(REMEDIATORS)
        for name in woken & self._workers.keys():
            self._workers[name].wake()

    def _remediate(self) -> bool:
        found = self.remediator.step()
        if found:
            self.wake()  # a step may have written messages
        return found

    def _employ(
        self,
        name: str,
        step: Callable[[], bool],
        pause_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        worker = Worker(name, step, pause_seconds=pause_seconds)
        self._workers[name] = worker
        self.service.readiness.add(name, worker.trouble)
        worker.start()

    def _employ_couriers(self) -> None:
        """Give every receiver a courier of its own; one whose receiver was removed idles."""
        for receiver in self._receivers():
            name = f"courier-{receiver}"
            if name not in self._workers:
                courier = self._courier(receiver, self._notifier_of(receiver))
                self._employ(name, courier.step, courier.pause_seconds)

    def _employ_feedback_courier(self) -> None:
        """What people say of anomalies goes the way of messages, and so survives what they do."""
        feedback = AnomalyFeedback(Peer("anomaly"))
        courier = self._courier(anomaly_feedback.RECEIVER, lambda: feedback)
        self._employ(f"courier-{courier.receiver}", courier.step, courier.pause_seconds)

    def _courier(self, receiver: str, notifier: Callable[[], Notifier | None]) -> Courier:
        return Courier(
            receiver,
            notifier,
            settings=lambda: self.configuration.alerting,
            engine=self.store.engine,
            clock=self.clock,
            telemetry=self.telemetry,
            rng=random.Random(),  # noqa: S311  # spreads retries, keeps no secret
            chart=partial(chart_of, Peer("anomaly", timeout_seconds=2.0)),
        )

    def _notifier_of(self, receiver: str) -> Callable[[], Notifier | None]:
        def find() -> Notifier | None:
            settings = self.configuration.alerting
            options = settings.receiver(receiver)
            if options is None or not options.is_configured:
                return None
            return notifiers.build(options, settings.egress.policy)

        return find

    def _receivers(self) -> list[str]:
        receivers = self.configuration.alerting.receivers
        return [receiver.name for receiver in receivers if receiver.is_configured]

    def _reload(self) -> None:
        self.configuration.reload_if_changed()
        self._employ_couriers()
