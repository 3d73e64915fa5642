"""Panels that more than one board shows, so that they say and judge the same on each.

``on`` and ``where`` are what stands between the braces of a selector.
"""

from __future__ import annotations

from dashboards import silences
from dashboards.promql import largest, rate, ratio, series, total
from dashboards.spec import (
    UP_OR_DOWN,
    Query,
    Stat,
    StateTimeline,
    TimeSeries,
    Unit,
    rising,
)
from watchkeeper.catalogue import anomaly, host, http, prometheus
from watchkeeper.catalogue import watchkeeper as own

MISSED_RUNS = TimeSeries(
    title="Missed runs",
    description="Runs the scheduler skipped or merged: the service does not keep up.",
    queries=(Query(total(rate(anomaly.MISFIRES), by="job"), "{{job}}"),),
    unit=Unit.OPERATIONS_PER_SECOND,
)

OLDEST_DELIVERY = Stat(
    title="Oldest delivery",
    description="Age of the delivery waiting longest; a receiver may be down.",
    queries=(Query(largest(series(own.OUTBOX_OLDEST)), silence=silences.RECEIVER),),
    unit=Unit.SECONDS,
    thresholds=rising(notice=10, warning=60, critical=600),
    runbook="DeliveryDelayed",
)


def instances_up(where: str) -> StateTimeline:
    """Return which targets answered Prometheus, and when they did not."""
    return StateTimeline(
        title="Instances",
        description="Which instances answered Prometheus, and when they did not.",
        queries=(Query(series(prometheus.UP, where), "{{job}} {{instance}}"),),
        states=UP_OR_DOWN,
        runbook="TargetDown",
    )


def pool_in_use(where: str, *, of: str) -> TimeSeries:
    """Return the share of each pool's connections in use, pool by pool of each ``of``."""
    by = f"{of}, db_client_connection_pool_name"
    used = series(http.POOL_CONNECTIONS, f'{where}, db_client_connection_state="used"')
    return TimeSeries(
        title="Pool in use",
        description="Share of each pool's connections in use. At 100 % callers wait.",
        queries=(
            Query(
                ratio(total(used, by=by), total(series(http.POOL_MAX, where), by=by)),
                f"{{{{{of}}}}} {{{{db_client_connection_pool_name}}}}",
            ),
        ),
        unit=Unit.RATIO,
        thresholds=rising(notice=0.8, warning=1),
    )


def cpu_by_mode(on: str = "") -> TimeSeries:
    """Return what the processors do."""
    busy = _within(on, 'mode!="idle"')
    return TimeSeries(
        title="CPU by mode",
        description="What the processors do. Much iowait points at disks, much steal at the "
        "neighbours on the same hardware.",
        queries=(Query(f"avg by (mode) ({rate(host.CPU_SECONDS, busy)})", "{{mode}}"),),
        unit=Unit.RATIO,
        stacked=True,
    )


def memory(on: str = "") -> TimeSeries:
    """Return how the memory of all machines is used."""
    available = total(series(host.MEMORY_AVAILABLE, on))
    return TimeSeries(
        title="Memory",
        description="In use, and what the kernel keeps as cache and gives back on demand.",
        queries=(
            Query(f"{total(series(host.MEMORY_TOTAL, on))} - {available}", "used"),
            Query(available, "available"),
        ),
        unit=Unit.BYTES,
        stacked=True,
    )


def disk_throughput(on: str = "") -> TimeSeries:
    """Return what is read from and written to all disks."""
    return TimeSeries(
        title="Disk throughput",
        description="Bytes read and written a second, over all disks.",
        queries=(
            Query(total(rate(host.DISK_READ_BYTES, on)), "read"),
            Query(total(rate(host.DISK_WRITTEN_BYTES, on)), "written"),
        ),
        unit=Unit.BYTES_PER_SECOND,
    )


def network_traffic(on: str = "") -> TimeSeries:
    """Return what comes in and goes out over the network."""
    wired = _within(on, 'device!="lo"')
    return TimeSeries(
        title="Network",
        description="Bytes in and out a second, over all devices but loopback.",
        queries=(
            Query(total(rate(host.NETWORK_RECEIVE_BYTES, wired)), "in"),
            Query(total(rate(host.NETWORK_TRANSMIT_BYTES, wired)), "out"),
        ),
        unit=Unit.BYTES_PER_SECOND,
    )


def _within(on: str, matcher: str) -> str:
    return f"{on}, {matcher}" if on else matcher
