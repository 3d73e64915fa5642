"""System Overview: is the system serving, how fast, and what is it running out of?"""

from dashboards import limits, panels, scope
from dashboards.promql import mean, quantile, rate, series, share, total
from dashboards.spec import (
    Dashboard,
    Gauge,
    Link,
    Query,
    Row,
    Stat,
    TimeSeries,
    Unit,
    rising,
)
from watchkeeper.catalogue import host, http, process, prometheus

SERVICE = scope.INSTANCE
FAILED = f'{SERVICE}, http_response_status_code=~"5.."'

IDLE = 'mode="idle"'
CPUS = f"count({series(host.CPU_SECONDS, IDLE)})"
CPU_USED = f"1 - avg({rate(host.CPU_SECONDS, IDLE)})"
MEMORY_USED = f"1 - min({host.MEMORY_AVAILABLE} / {host.MEMORY_TOTAL})"


def error_ratio(by: str = "") -> str:
    """Return the share of requests answered with a server error."""
    requests = total(rate(http.REQUEST_DURATION.count, SERVICE), by=by)
    return share(total(rate(http.REQUEST_DURATION.count, FAILED), by=by), requests)


NOW = Row(
    "Now",
    (
        Stat(
            title="Response time",
            description="Mean time to answer a request. Notice at 500 ms, warning at 1 s, critical "
            "at 2 s. Look at the slowest routes below before blaming the machine.",
            queries=(Query(mean(http.REQUEST_DURATION, SERVICE)),),
            unit=Unit.SECONDS,
            thresholds=limits.RESPONSE_TIME,
            links=(
                Link("HTTP services", "watchkeeper-http"),
                Link("Database", "watchkeeper-database"),
            ),
            runbook="HighResponseTime",
        ),
        Stat(
            title="Throughput",
            description="Requests served a second. A sudden fall with healthy response times means "
            "that requests do not reach us.",
            queries=(Query(total(rate(http.REQUEST_DURATION.count, SERVICE))),),
            unit=Unit.REQUESTS_PER_SECOND,
        ),
        Stat(
            title="Error rate",
            description="Share of requests answered 5xx.",
            queries=(Query(error_ratio()),),
            unit=Unit.RATIO,
            thresholds=limits.ERRORS,
            links=(Link("HTTP services", "watchkeeper-http"),),
            runbook="HighErrorRate",
        ),
        Gauge(
            title="CPU",
            description="Share of processor time in use on the machine.",
            queries=(Query(CPU_USED),),
            unit=Unit.RATIO,
            links=(Link("Host", "watchkeeper-host"),),
            thresholds=limits.CPU,
        ),
        Gauge(
            title="Memory",
            description="Share of memory that could not be given to a new process.",
            queries=(Query(MEMORY_USED),),
            unit=Unit.RATIO,
            links=(Link("Host", "watchkeeper-host"),),
            thresholds=limits.MEMORY,
        ),
        Stat(
            title="Targets down",
            description="What Prometheus cannot scrape. Everything else on this page is only as "
            "complete as this is zero.",
            queries=(Query(f"sum({prometheus.UP} == bool 0)"),),
            thresholds=rising(critical=1),
            links=(Link("Watchkeeper itself", "watchkeeper-itself"),),
            runbook="TargetDown",
        ),
    ),
)

SERVING = Row(
    "Serving",
    (
        TimeSeries(
            title="Response time",
            description="Median, p95 and p99 over all routes. A p99 that leaves the median behind "
            "points at one route or one dependency, not at load.",
            queries=(
                Query(quantile(0.5, http.REQUEST_DURATION, SERVICE), "p50"),
                Query(quantile(0.95, http.REQUEST_DURATION, SERVICE), "p95"),
                Query(quantile(0.99, http.REQUEST_DURATION, SERVICE), "p99"),
            ),
            unit=Unit.SECONDS,
            thresholds=limits.RESPONSE_TIME,
            is_vital=True,
        ),
        TimeSeries(
            title="Throughput by service",
            description="Requests a second, service by service.",
            queries=(
                Query(
                    total(rate(http.REQUEST_DURATION.count, SERVICE), by="service"), "{{service}}"
                ),
            ),
            unit=Unit.REQUESTS_PER_SECOND,
        ),
        TimeSeries(
            title="Error rate by service",
            description="Share of requests answered 5xx. Which service, and since when?",
            queries=(Query(error_ratio("service"), "{{service}}"),),
            unit=Unit.RATIO,
            thresholds=limits.ERRORS,
            is_vital=True,
        ),
        TimeSeries(
            title="Slowest routes",
            description="Mean time of the five slowest routes. Compare with the same time "
            "yesterday before calling it slow.",
            queries=(
                Query(
                    f"topk(5, {mean(http.REQUEST_DURATION, SERVICE, by='http_route')})",
                    "{{http_route}}",
                ),
            ),
            unit=Unit.SECONDS,
        ),
        TimeSeries(
            title="Requests in progress",
            description="Requests being served right now. It grows before response time does when "
            "a dependency slows down.",
            queries=(
                Query(total(series(http.ACTIVE_REQUESTS, SERVICE), by="service"), "{{service}}"),
            ),
        ),
        TimeSeries(
            title="Process memory against its limit",
            description="Resident memory as a share of what the process may use. A straight climb "
            "that never falls is a leak.",
            queries=(
                Query(
                    f"{process.RESIDENT} / {process.MEMORY_LIMIT}",
                    "{{job}} {{instance}}",
                ),
            ),
            unit=Unit.RATIO,
            thresholds=rising(warning=0.8, critical=0.95),
        ),
    ),
)

MACHINE = Row(
    "Machine",
    (
        panels.cpu_by_mode(),
        panels.memory(),
        TimeSeries(
            title="Saturation",
            description="Share of time in which some task waited for CPU, memory or disk. This is "
            "what users feel; utilisation alone is not.",
            queries=(
                Query(rate(host.PRESSURE_CPU_WAITING), "cpu"),
                Query(rate(host.PRESSURE_MEMORY_WAITING), "memory"),
                Query(rate(host.PRESSURE_IO_WAITING), "disk"),
            ),
            unit=Unit.RATIO,
            thresholds=limits.PRESSURE,
            is_vital=True,
        ),
        TimeSeries(
            title="Load for each CPU",
            description="Tasks that run or wait, for each processor. Above 1 is a queue.",
            queries=(
                Query(f"sum({host.LOAD1}) / {CPUS}", "1 min"),
                Query(f"sum({host.LOAD5}) / {CPUS}", "5 min"),
            ),
            unit=Unit.PLAIN,
            thresholds=rising(notice=1, warning=2),
        ),
        panels.disk_throughput(),
        panels.network_traffic(),
    ),
)

DASHBOARD = Dashboard(
    uid="watchkeeper-system",
    title="System Overview",
    purpose="Is the system serving, how fast, and what is it running out of?",
    variables=scope.of_instance(http.ACTIVE_REQUESTS),
    rows=(NOW, SERVING, MACHINE),
    see_also=(
        "watchkeeper-http",
        "watchkeeper-host",
        "watchkeeper-database",
        "watchkeeper-cache",
        "watchkeeper-tasks",
        "watchkeeper-slo",
        "watchkeeper-anomalies",
        "watchkeeper-remediation",
    ),
)
