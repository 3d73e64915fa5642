"""What Prometheus says is up, and what it saw change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from watchkeeper.catalogue import postgres, process, prometheus, redis
from watchkeeper.catalogue import watchkeeper as own
from watchkeeper.prometheus import PrometheusClient, Sample

STORES = {"PostgreSQL": postgres.UP, "Redis": redis.UP}
"""Kinds of data store to the metric that says whether one answers."""


LATEST_SECONDS = 4_102_444_800.0
"""The year 2100 as Unix seconds: no process has begun to run after it."""


@dataclass(frozen=True, slots=True)
class Target:
    """One scraped process."""

    service: str
    job: str
    instance: str
    is_up: bool


@dataclass(frozen=True, slots=True)
class Store:
    """One data store the agent asks."""

    kind: str
    server: str
    is_up: bool


@dataclass(frozen=True, slots=True)
class Restart:
    """A process that began to run."""

    job: str
    instance: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reload:
    """A configuration file that was read anew."""

    service: str
    file: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Landscape:
    """Everything Prometheus watches, at one time."""

    targets: tuple[Target, ...] = ()
    stores: tuple[Store, ...] = ()
    restarts: tuple[Restart, ...] = ()
    reloads: tuple[Reload, ...] = ()


def survey(client: PrometheusClient, *, recent_seconds: float) -> Landscape:
    """Return what is up now and what changed within ``recent_seconds``.

    Raises:
        UpstreamError: any of it cannot be read; half a picture is not shown as a whole one.
    """
    since = f"> time() - {recent_seconds:.0f}"
    return Landscape(
        tuple(_target(sample) for sample in client.query(str(prometheus.UP))),
        tuple(
            Store(kind, sample.labels.get("server", "?"), sample.value == 1)
            for kind, metric in STORES.items()
            for sample in client.query(str(metric))
        ),
        tuple(
            Restart(_job(sample), sample.labels.get("instance", ""), _moment(sample))
            for sample in _moments(client, f"{process.START_TIME} {since}")
        ),
        tuple(
            Reload(_job(sample), sample.labels.get("file", "?"), _moment(sample))
            for sample in _moments(client, f"{own.CONFIG_RELOAD_TIME} {since}")
        ),
    )


def _target(sample: Sample) -> Target:
    labels = sample.labels
    return Target(
        labels.get("service", _job(sample)),
        _job(sample),
        labels.get("instance", ""),
        sample.value == 1,
    )


def _job(sample: Sample) -> str:
    return sample.labels.get("job", "?")


def _moments(client: PrometheusClient, expression: str) -> list[Sample]:
    """Return the samples whose value can be a time; an exporter may claim anything."""
    return [sample for sample in client.query(expression) if 0 <= sample.value < LATEST_SECONDS]


def _moment(sample: Sample) -> datetime:
    return datetime.fromtimestamp(sample.value, UTC)
