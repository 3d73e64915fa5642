"""The anomaly service: its queries under one clock, reloaded as the configuration changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask import jsonify

from anomaly.alerts import AlertReceiver, Courier, Report
from anomaly.api import blueprint
from anomaly.explainer import Explainer, annotations_of
from anomaly.feedback_api import feedback_blueprint
from anomaly.forecast.api import blueprint as forecast_blueprint
from anomaly.forecast.job import Forecasts
from anomaly.forecast.metrics import ForecastCollector
from anomaly.forecast.schedule import ForecastSchedule
from anomaly.jobs import Jobs
from anomaly.leases import Leases
from anomaly.ledger import Ledger
from anomaly.metrics import SeriesCollector, ServiceMetrics
from anomaly.openapi import document
from anomaly.remote_write.writer import RemoteWriter
from anomaly.runner import QueryRunner, ignore_verdict
from anomaly.settings import AnomalySettings, QuerySettings
from anomaly.sharding import Held
from anomaly.source import RangeReader
from anomaly.trials import Trials
from watchkeeper import addresses
from watchkeeper.clock import Clock
from watchkeeper.configuration import WatchedFile
from watchkeeper.errors import ConfigError
from watchkeeper.logs import get_logger
from watchkeeper.memory import give_back_freed
from watchkeeper.serving import Service

RELOAD_JOB = "(configuration)"
"""In brackets: a query may be called configuration, and must not be taken for this job."""

SHARDS_JOB = "(shards)"
RETENTION_JOB = "(retention)"
RETENTION_EVERY_SECONDS = 3_600.0
MEMORY_JOB = "(memory)"
MEMORY_EVERY_SECONDS = 60.0
REMOTE_WRITE_JOB = "(remote write)"

OVERDUE_CADENCES = 5
SHORTEST_OVERDUE_SECONDS = 60.0
"""A query not evaluated for so many of its cadences, and for so long, is not being judged."""

log = get_logger(__name__)


def trial_job(query: str) -> str:
    """Return the name of the job that holds a query's trials."""
    return f"(trial) {query}"


class AnomalyService:
    """Evaluates the configured queries and tells alerting what it finds.

    Args:
        service: the HTTP shell to add routes, metrics and checks to.
        config: the file in force, watched.
        ledger: what survives a restart.
        open_reader: makes a client with a deadline in seconds; one a query, for their threads.
        receiver: takes the alerts.
        clock: for all times.
        leases: on the shards of the series, where replicas share them.
        reload_seconds: how often the file is looked at.
    """

    def __init__(
        self,
        service: Service,
        *,
        config: WatchedFile[AnomalySettings],
        ledger: Ledger,
        open_reader: Callable[[float], RangeReader],
        receiver: AlertReceiver,
        clock: Clock,
        leases: Leases | None = None,
        reload_seconds: float = 5.0,
    ) -> None:
        self._leases = leases
        self._held = Held()
        self._reload_seconds = reload_seconds
        self._applied = config.current
        self._config = config
        self._ledger = ledger
        self._open_reader = open_reader
        self._clock = clock
        self._runners: dict[str, QueryRunner] = {}
        self._configured: dict[str, QuerySettings] = {}
        self._metrics = ServiceMetrics(service.registry)
        self._jobs = Jobs(missed=self._metrics.missed, failed=self._failed)
        self._trials = Trials(open_reader, ledger.trials, clock)
        forecasts = Forecasts(open_reader, clock, self._metrics.forecast)
        self._forecasts = ForecastSchedule(forecasts, self._jobs)
        self._writer = self._open_writer(config.current)
        self._explainer = Explainer(self.runners, ledger.feedback, self._alarms_a_week)
        self._courier = Courier(
            receiver,
            settings=lambda: config.current.alerts,
            reports=self.reports,
            console_url=addresses.url_of("console"),
            clock=clock,
            sent=self._metrics.posted,
        )
        service.registry.register(
            SeriesCollector(self.runners, clock.now, lambda: config.current.publish)
        )
        service.registry.register(ForecastCollector(self._forecasts.newest, clock.now))
        service.app.add_url_rule("/api/openapi.json", view_func=lambda: jsonify(document()))
        service.app.register_blueprint(forecast_blueprint(self._forecasts.newest))
        service.app.register_blueprint(blueprint(self.runners, clock, ledger.trials.newest))
        service.app.register_blueprint(
            feedback_blueprint(self.runners, ledger.feedback, clock, self._explainer.explain)
        )
        service.readiness.add("queries", self._readiness_problem)
        service.on_stop(self.stop)

    def runners(self) -> list[QueryRunner]:
        """Return the runners of the queries in force."""
        return list(self._runners.values())

    def reports(self) -> list[Report]:
        """Return every remembered episode with the present view of its series."""
        found = []
        held = self._may_judge()
        for runner in self.runners():
            found += [
                Report(
                    episode,
                    runner.settings,
                    runner.view_of(episode.key),
                    annotations_of(self._explainer.explain(episode), episode),
                )
                for episode in runner.evaluation.episodes()
                if not episode.habitual and held.owns(episode.key)
            ]
        return found

    @property
    def config_problem(self) -> ConfigError | None:
        """Return what is wrong with the file on disk; None while it is in force."""
        return self._config.problem

    def start(self) -> None:
        """Begin to evaluate and to send."""
        if self._leases is not None:
            self._held = self._leases.renew()
            third = self._leases.lease_seconds / 3
            self._jobs.every(third, SHARDS_JOB, self._share)
        self._jobs.every(RETENTION_EVERY_SECONDS, RETENTION_JOB, self._forget)
        self._jobs.every(MEMORY_EVERY_SECONDS, MEMORY_JOB, give_back_freed)
        if self._writer is not None:
            self._jobs.every(self._writer.every_seconds, REMOTE_WRITE_JOB, self._writer.write)
        for name, settings in self._applied.queries.items():
            self._add(name, settings)
        self._forecasts.follow(self._applied.forecasts)
        self._jobs.every(self._reload_seconds, RELOAD_JOB, self._reload)
        self._jobs.start()
        self._courier.start()

    def stop(self) -> None:
        """Stop both."""
        self._jobs.stop()
        self._courier.stop()
        if self._leases is not None:
            self._leases.give_back()

    def _open_writer(self, settings: AnomalySettings) -> RemoteWriter | None:
        if settings.remote_write is None:
            return None
        publish = lambda: self._config.current.publish  # noqa: E731  # as for the collector
        return RemoteWriter(settings.remote_write, publish, self._metrics.written)

    def _may_judge(self) -> Held:
        """Return what is held; less than at the last renewal once leases have run out."""
        return self._held if self._leases is None else self._leases.held

    def _share(self) -> None:
        if self._leases is None:
            return
        held = self._leases.renew()
        if held != self._held:
            self._held = held
            log.info("shards", extra={"held": sorted(held.numbers), "of": held.shards})
            for runner in self.runners():
                runner.hold(held)
                self._jobs.soon(runner.name)

    def _forget(self) -> None:
        before = self._clock.now().timestamp() - self._config.current.remember
        self._ledger.forget_before(before)

    def _alarms_a_week(self, query: str) -> float | None:
        trial = self._ledger.trials.newest(query)
        entry = trial.entry_of(trial.champion) if trial else None
        return entry.alarms_a_week if entry else None

    def _add(self, name: str, settings: QuerySettings) -> None:
        self._configured[name] = settings
        runner = QueryRunner(
            name,
            self._trials.in_force(name, settings),
            reader=self._open_reader(self._config.current.query_timeout),
            ledger=self._ledger,
            clock=self._clock,
            episodes_changed=self._courier.wake,
            held=self._held,
            told=self._writer.take if self._writer else ignore_verdict,
        )
        self._runners = {**self._runners, name: runner}
        self._metrics.watch(name)
        self._jobs.every(settings.cadence, name, lambda: self._evaluate(runner))
        if settings.contenders:
            self._jobs.every(
                settings.trial_every,
                trial_job(name),
                lambda: self._try_contenders(name, settings),
                slow_after_seconds=self._trials.due_in_seconds(name, settings),
            )

    def _try_contenders(self, name: str, settings: QuerySettings) -> None:
        champion = self._trials.hold(name, settings)
        runner = self._runners.get(name)
        if runner is not None and champion not in (None, runner.settings.detector):
            self._remove(runner, closing=False)
            self._add(name, settings)

    def _evaluate(self, runner: QueryRunner) -> None:
        if self._leases is not None and not self._leases.held.numbers:
            return
        dropped_before = runner.dropped_series_total
        outcome = runner.run()
        dropped = runner.dropped_series_total - dropped_before
        self._metrics.evaluated(runner.name, outcome, dropped_series=dropped)

    def _failed(self, job: str, error: BaseException) -> None:
        runner = self._runners.get(job)
        if runner is not None:
            runner.failed(error)
            self._metrics.failed(job)

    def _reload(self) -> None:
        self._config.reload_if_changed()
        if self._config.current is self._applied:
            return
        self._applied = self._config.current
        self._forecasts.follow(self._applied.forecasts)
        wanted = self._applied.queries
        for name, runner in list(self._runners.items()):
            if wanted.get(name) != self._configured.get(name):
                self._remove(runner, closing=name not in wanted)
        for name, settings in wanted.items():
            if name not in self._runners:
                self._add(name, settings)

    def _remove(self, runner: QueryRunner, *, closing: bool) -> None:
        self._jobs.remove(runner.name)
        if self._configured.pop(runner.name).contenders:
            self._jobs.remove(trial_job(runner.name))
        if closing:
            runner.close()
            self._courier.send_due()
        self._runners = {n: r for n, r in self._runners.items() if r is not runner}

    def _readiness_problem(self) -> str | None:
        if self._leases is not None and not self._leases.held.numbers:
            return "no shard is held: the database does not answer, or others hold them all"
        waiting = [one.name for one in self.runners() if one.outcome is None]
        if waiting:
            return f"not evaluated yet: {', '.join(waiting)}"
        if late := [one.name for one in self.runners() if is_overdue(one)]:
            return f"not evaluated for long: {', '.join(late)}"
        broken = {one.name: one.outcome.error for one in self.runners() if one.outcome}
        broken = {name: error for name, error in broken.items() if error}
        if broken:
            name, error = next(iter(broken.items()))
            return f"{len(broken)} queries cannot be evaluated; {name}: {error}"
        return None


def is_overdue(runner: QueryRunner) -> bool:
    """Return whether a query was not evaluated for several of its cadences."""
    allowed = max(OVERDUE_CADENCES * runner.settings.cadence, SHORTEST_OVERDUE_SECONDS)
    return runner.seconds_since_run > allowed


def ledger_path(data_dir: Path) -> Path:
    """Return where the service keeps its database."""
    return data_dir / "anomaly" / "anomaly.db"
