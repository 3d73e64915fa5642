"""Python processes: does the interpreter itself hold the service back?"""

from dashboards import panels, scope
from dashboards.promql import mean, quantile, rate, series, total
from dashboards.spec import (
    Column,
    Dashboard,
    Query,
    Row,
    Table,
    TimeSeries,
    Unit,
    rising,
)
from watchkeeper.catalogue import http, process

HERE = scope.INSTANCE
WHO = "{{job}} {{instance}}"
BY_PROCESS = "job, instance"

RUNNING = Row(
    "Running",
    (
        panels.instances_up(HERE),
        TimeSeries(
            title="Age",
            description="Time since each process began. A saw-tooth is a process that keeps dying.",
            queries=(Query(f"time() - {series(process.START_TIME, HERE)}", WHO),),
            unit=Unit.SECONDS,
        ),
        TimeSeries(
            title="CPU",
            description="Processor seconds used a second. One Python process rarely gets beyond 1: "
            "at 1 it is as fast as it will be.",
            queries=(Query(rate(process.CPU, HERE), WHO),),
            unit=Unit.PLAIN,
            thresholds=rising(notice=0.9),
        ),
        TimeSeries(
            title="Threads",
            description="Live Python threads. A climb that never falls is a leak of threads.",
            queries=(Query(series(process.THREADS, HERE), WHO),),
        ),
        TimeSeries(
            title="Open files",
            description="Descriptors open, as a share of what the process may open. A straight "
            "climb is a leak of connections or files.",
            queries=(
                Query(f"{series(process.OPEN_FDS, HERE)} / {series(process.MAX_FDS, HERE)}", WHO),
            ),
            unit=Unit.RATIO,
            thresholds=rising(notice=0.7, warning=0.9),
        ),
    ),
)

MEMORY = Row(
    "Memory",
    (
        TimeSeries(
            title="Resident memory",
            description="Memory of each process. A straight climb that never falls is a leak.",
            queries=(Query(series(process.RESIDENT, HERE), WHO),),
            unit=Unit.BYTES,
        ),
        TimeSeries(
            title="Memory against its limit",
            description="Share of what the process may use: the smallest of its cgroup, rlimit and "
            "declared limits. At 100 % it is killed.",
            queries=(
                Query(
                    f"{series(process.RESIDENT, HERE)} / {series(process.MEMORY_LIMIT, HERE)}", WHO
                ),
            ),
            unit=Unit.RATIO,
            thresholds=rising(warning=0.8, critical=0.95),
            runbook="ProcessMemoryHigh",
        ),
    ),
)

GARBAGE = Row(
    "Garbage collection",
    (
        TimeSeries(
            title="Time paused",
            description="Share of time in which the collector stopped the whole process. Above a "
            "few percent, requests feel it.",
            queries=(
                Query(
                    total(rate(process.GC_PAUSE.sum, HERE), by=BY_PROCESS),
                    WHO,
                ),
            ),
            unit=Unit.RATIO,
            thresholds=rising(notice=0.05, warning=0.15),
        ),
        TimeSeries(
            title="Pause p99",
            description="The longest pauses: every request that falls into one waits this long.",
            queries=(Query(quantile(0.99, process.GC_PAUSE, HERE, by=BY_PROCESS), WHO),),
            unit=Unit.SECONDS,
        ),
        TimeSeries(
            title="Collections",
            description="Collections a second by generation. The oldest one looks at every object "
            "there is: often is costly.",
            queries=(
                Query(total(rate(process.GC_COLLECTIONS, HERE), by="generation"), "{{generation}}"),
            ),
            unit=Unit.EVENTS_PER_SECOND,
        ),
    ),
)

POOLS = Row(
    "Pools",
    (
        panels.pool_in_use(HERE, of="job"),
        TimeSeries(
            title="Waited for a connection",
            description="Mean time a caller waited for a connection of the pool.",
            queries=(Query(mean(http.POOL_WAIT, HERE, by="job"), "{{job}}"),),
            unit=Unit.SECONDS,
        ),
        Table(
            title="Interpreters",
            description="Which version runs where. Two versions of one service are a deploy half "
            "done.",
            queries=(
                Query(f"max by (job, instance, version) ({series(process.PYTHON_INFO, HERE)})"),
            ),
            columns=(
                Column("Job", label="job"),
                Column("Instance", label="instance"),
                Column("Python", label="version"),
                Column("Processes", query=0),
            ),
            sort_by="Processes",
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="watchkeeper-python",
    title="Python Processes",
    purpose="Does the interpreter itself hold the service back: memory, pauses, threads or pools?",
    variables=scope.of_instance(process.THREADS),
    rows=(RUNNING, MEMORY, GARBAGE, POOLS),
    see_also=("watchkeeper-http", "watchkeeper-host", "watchkeeper-system"),
)
