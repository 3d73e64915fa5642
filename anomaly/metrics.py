"""What the service exposes: of every series from what is known at the scrape, and of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from anomaly.runner import Outcome, QueryRunner
from anomaly.settings import PublishSettings
from anomaly.view import SeriesView, State
from watchkeeper.catalogue import Metric
from watchkeeper.catalogue import anomaly as catalogue

EVALUATION_BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class ServiceMetrics:
    """Counts what happens, in a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._evaluations = catalogue.EVALUATIONS.counter(registry)
        self._seconds = catalogue.EVALUATION_SECONDS.histogram(registry, EVALUATION_BUCKETS_SECONDS)
        self._misfires = catalogue.MISFIRES.counter(registry)
        self._dropped = catalogue.DROPPED_SERIES.counter(registry)
        self._posts = catalogue.ALERT_POSTS.counter(registry)
        self._written = catalogue.REMOTE_WRITE_SAMPLES.counter(registry)
        self._forecasts = catalogue.FORECASTS.counter(registry)

    def watch(self, query: str) -> None:
        """Expose zeros for a query from its start, so that a first increase is seen."""
        self._evaluations.labels(query, "ok")
        self._misfires.labels(query)
        self._dropped.labels(query)

    def evaluated(self, query: str, outcome: Outcome, *, dropped_series: int) -> None:
        """Count one evaluation."""
        self._evaluations.labels(query, outcome.reason).inc()
        self._seconds.labels(query).observe(outcome.seconds)
        self._dropped.labels(query).inc(dropped_series)

    def failed(self, query: str) -> None:
        """Count an evaluation that broke."""
        self._evaluations.labels(query, "unexpected").inc()

    def missed(self, job: str) -> None:
        """Count a run that did not happen."""
        self._misfires.labels(job).inc()

    def forecast(self, name: str, outcome: str) -> None:
        """Count a forecast."""
        self._forecasts.labels(name, outcome).inc()

    def written(self, outcome: str, samples: int) -> None:
        """Count samples that were, or were not, written to a remote-write receiver."""
        self._written.labels(outcome).inc(samples)

    def posted(self, outcome: str) -> None:
        """Count a message to alerting."""
        self._posts.labels(outcome).inc()


class SeriesCollector(Collector):
    """Reads the series at the scrape; a number that is unknown has no sample, never a zero.

    A query with many series shows those that matter, and how many and which share of each group
    are anomalous.

    Args:
        runners: the queries.
        now: the time of the scrape.
        publish: how many series of a query are shown.
    """

    def __init__(
        self,
        runners: Callable[[], Sequence[QueryRunner]],
        now: Callable[[], datetime],
        publish: Callable[[], PublishSettings] = PublishSettings,
    ) -> None:
        self._runners = runners
        self._now = now
        self._publish = publish

    def describe(self) -> list[GaugeMetricFamily]:
        """Return nothing, so that registering asks for no values."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the families of all queries."""
        families = {
            metric: GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            for metric in (
                catalogue.SCORE,
                catalogue.ACTUAL,
                catalogue.EXPECTED,
                catalogue.LOWER,
                catalogue.UPPER,
                catalogue.STATE,
                catalogue.ALERTING,
                catalogue.MISSING,
                catalogue.SERIES,
                catalogue.ANOMALOUS_SERIES,
                catalogue.GROUP_RATE,
                catalogue.LAG,
            )
        }
        publish = self._publish()
        for runner in self._runners():
            overview = runner.overview(publish)
            for view in overview.notable:
                _add_series(families, view)
                if runner.evaluation.settings.tell_absence:
                    missing = float(view.state is State.ABSENT)
                    families[catalogue.MISSING].add_metric((view.query, view.text), missing)
            for state in State:
                families[catalogue.SERIES].add_metric(
                    (runner.name, state), overview.states.get(state, 0)
                )
            families[catalogue.ANOMALOUS_SERIES].add_metric((runner.name,), overview.anomalous)
            for group, rate in overview.rates.items():
                families[catalogue.GROUP_RATE].add_metric((runner.name, group), rate)
            judged_until = runner.evaluation.judged_until_seconds
            if judged_until is not None:
                lag = self._now().timestamp() - judged_until
                families[catalogue.LAG].add_metric((runner.name,), lag)
        yield from families.values()


def _add_series(families: dict[Metric, GaugeMetricFamily], view: SeriesView) -> None:
    where = (view.query, view.text)
    for detector, score in view.scores.items():
        families[catalogue.SCORE].add_metric((view.query, detector, view.text), score)
    current = {catalogue.EXPECTED: view.expected, catalogue.LOWER: view.lower}
    current |= {catalogue.UPPER: view.upper, catalogue.ACTUAL: view.actual}
    if view.state in (State.READY, State.WARMING):
        for metric, value in current.items():
            if value is not None:
                families[metric].add_metric(where, value)
    for state in State:
        families[catalogue.STATE].add_metric((*where, state), float(view.state is state))
    families[catalogue.ALERTING].add_metric(where, float(view.alerting))
