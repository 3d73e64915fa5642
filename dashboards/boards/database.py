"""Database Performance: are the databases answering quickly, and which statements are not?"""

from dashboards import ahead, scope, silences
from dashboards.promql import SPAN, quantile, rate, ratio, series, share, total
from dashboards.spec import (
    Column,
    Dashboard,
    Gauge,
    Query,
    Row,
    Stat,
    Table,
    TimeSeries,
    Unit,
    Variable,
    at_least,
    rising,
)
from watchkeeper.catalogue import http, postgres, postgres_depth

SERVER = f'{scope.ENVIRONMENT}, server=~"$server"'

WRAPAROUND_LIMIT = 2**31
"""Transaction ids are compared modulo 2**32, so half of them may be in use (PostgreSQL manual,
"Preventing Transaction ID Wraparound Failures")."""

# The requirement: a mean query above 200 ms misses the target, above 500 ms raises an alert.
QUERY_TIME = rising(notice=0.2, warning=0.5, critical=2)
CONNECTIONS = rising(notice=0.7, warning=0.85, critical=0.95)

MEAN_QUERY = (
    f"{total(rate(postgres.STATEMENT_SECONDS, SERVER))}"
    f" / {total(rate(postgres.STATEMENT_CALLS, SERVER))}"
)
CONNECTIONS_USED = (
    f"max(sum by (server) ({series(postgres.NUMBACKENDS, SERVER)})"
    f" / on (server) {series(postgres.MAX_CONNECTIONS, SERVER)})"
)
BLOCKS_HIT = total(rate(postgres.BLOCKS_HIT, SERVER), by="server")
BLOCKS = f"({BLOCKS_HIT} + {total(rate(postgres.BLOCKS_READ, SERVER), by='server')})"

_STATEMENT = "server, queryid"
_SECONDS = f"sum by ({_STATEMENT}) (increase({series(postgres.STATEMENT_SECONDS, SERVER)}[{SPAN}]))"
_CALLS = (
    f"(sum by ({_STATEMENT}) (increase({series(postgres.STATEMENT_CALLS, SERVER)}[{SPAN}])) > 0)"
)
_TEXT = f"* on ({_STATEMENT}) group_left (query) {series(postgres.STATEMENT_QUERY, SERVER)}"
_SLOWEST = f"topk(10, {_SECONDS} / {_CALLS})"

NOW = Row(
    "Now",
    (
        Stat(
            title="Query time",
            description="Mean time of a statement on the server, all statements alike. One slow "
            "statement hides here; the table below names it.",
            queries=(Query(MEAN_QUERY),),
            unit=Unit.SECONDS,
            thresholds=QUERY_TIME,
            runbook="DatabaseSlowdown",
        ),
        Stat(
            title="Connections",
            description="Connections to all databases of the server.",
            queries=(Query(f"sum({series(postgres.NUMBACKENDS, SERVER)})"),),
        ),
        Gauge(
            title="Connections used",
            description="Share of the connections the server allows. At 100 % new clients are "
            "refused; a leak in a pool shows as a slow climb.",
            queries=(Query(CONNECTIONS_USED),),
            unit=Unit.RATIO,
            thresholds=CONNECTIONS,
        ),
        Stat(
            title="Cache hits",
            description="Share of blocks found in the server's memory. A fall means the working "
            "set outgrew it, or a scan went through.",
            queries=(Query(f"min({share(BLOCKS_HIT, BLOCKS)})"),),
            unit=Unit.RATIO,
            thresholds=at_least(0.9),
        ),
        Stat(
            title="Deadlocks",
            description="Deadlocks in the last hour. Each one is a transaction the server killed.",
            queries=(Query(f"sum(increase({series(postgres.DEADLOCKS, SERVER)}[1h]))"),),
            thresholds=rising(warning=1),
        ),
        Stat(
            title="Servers answering",
            description="Share of PostgreSQL servers that answer the agent.",
            queries=(Query(f"avg({series(postgres.UP, SERVER)})"),),
            unit=Unit.RATIO,
            thresholds=at_least(1),
            runbook="PostgresDown",
        ),
    ),
)

STATEMENTS = Row(
    "Statements",
    (
        Table(
            title="Slow queries",
            description="The ten statements with the longest mean time in the chosen range. A slow "
            "one that runs rarely matters less than a middling one that runs always: read time "
            "and count together.",
            queries=(
                Query(f"{_SLOWEST} {_TEXT}"),
                Query(f"(round({_CALLS}) and on ({_STATEMENT}) {_SLOWEST}) {_TEXT}"),
            ),
            columns=(
                Column("Query", label="query"),
                Column("Time", query=0, unit=Unit.SECONDS),
                Column("Count", query=1, unit=Unit.COUNT),
            ),
            sort_by="Time",
        ),
        TimeSeries(
            title="Mean query time",
            description="Mean time of a statement on the server.",
            queries=(Query(MEAN_QUERY, "mean"),),
            unit=Unit.SECONDS,
            thresholds=QUERY_TIME,
        ),
        TimeSeries(
            title="Client-side p95",
            description="What the application waits for a call, network and pool included. Far "
            "above the server's own time means the pool or the network.",
            queries=(
                Query(
                    quantile(
                        0.95,
                        http.DB_OPERATION_DURATION,
                        scope.ENVIRONMENT,
                        by="db_operation_name",
                    ),
                    "{{db_operation_name}}",
                ),
            ),
            unit=Unit.SECONDS,
        ),
        TimeSeries(
            title="Transactions",
            description="Commits and rollbacks a second. Rollbacks rising alone are errors.",
            queries=(
                Query(total(rate(postgres.COMMITS, SERVER)), "commits"),
                Query(total(rate(postgres.ROLLBACKS, SERVER)), "rollbacks"),
            ),
            unit=Unit.OPERATIONS_PER_SECOND,
        ),
    ),
)

CONNECTED = Row(
    "Connections and locks",
    (
        TimeSeries(
            title="Connections by state",
            description="Many idle in transaction hold locks and stop vacuum: look for a client "
            "that forgot to commit.",
            queries=(Query(total(series(postgres.ACTIVITY, SERVER), by="state"), "{{state}}"),),
            stacked=True,
        ),
        TimeSeries(
            title="Longest transaction",
            description="Age of the oldest transaction by state.",
            queries=(
                Query(f"max by (state) ({series(postgres.ACTIVITY_MAX_TX, SERVER)})", "{{state}}"),
            ),
            unit=Unit.SECONDS,
            thresholds=rising(notice=60, warning=600),
        ),
        TimeSeries(
            title="Pool",
            description="Connections of the applications' own pools, and callers waiting for one. "
            "Any caller waiting for long is a pool too small or a leak.",
            queries=(
                Query(
                    total(series(http.POOL_CONNECTIONS), by="db_client_connection_state"),
                    "{{db_client_connection_state}}",
                ),
                Query(total(series(http.POOL_PENDING)), "waiting"),
            ),
        ),
        TimeSeries(
            title="Locks by mode",
            description="Locks held. Exclusive modes in numbers point at migrations or contention.",
            queries=(Query(total(series(postgres.LOCKS, SERVER), by="mode"), "{{mode}}"),),
        ),
        TimeSeries(
            title="Cache hits",
            description="Share of blocks found in the server's memory.",
            queries=(Query(share(BLOCKS_HIT, BLOCKS), "{{server}}"),),
            unit=Unit.RATIO,
        ),
        TimeSeries(
            title="Size",
            description="Disk space of each database.",
            queries=(
                Query(
                    f"max by (datname) ({series(postgres.DATABASE_SIZE, SERVER)})", "{{datname}}"
                ),
            ),
            unit=Unit.BYTES,
        ),
    ),
)

_BLOCKER = "server, pid, usename, application_name, state, query"
BLOCKING = Row(
    "Who blocks whom",
    (
        Stat(
            title="Sessions blocked",
            description="Sessions that wait for a lock another one holds.",
            queries=(Query(total(series(postgres_depth.BLOCKED, SERVER))),),
            thresholds=rising(notice=1, warning=5),
        ),
        Stat(
            title="Longest wait",
            description="Longest such wait going on.",
            queries=(Query(f"max({series(postgres_depth.BLOCKED_LONGEST, SERVER)})"),),
            unit=Unit.SECONDS,
            thresholds=rising(notice=5, warning=30, critical=300),
        ),
        Table(
            title="Root blockers",
            description="Sessions that others wait for and that wait for none themselves: ending "
            "one frees all behind it. Idle in transaction means that somebody forgot to commit. "
            "Empty is good.",
            queries=(
                Query(
                    f"max by ({_BLOCKER}) ({series(postgres_depth.ROOT_BLOCKED, SERVER)})",
                    silence=silences.BLOCKED,
                ),
                Query(
                    f"max by ({_BLOCKER}) ({series(postgres_depth.ROOT_AGE, SERVER)})",
                    silence=silences.BLOCKED,
                ),
            ),
            columns=(
                Column("Query", label="query"),
                Column("User", label="usename"),
                Column("Application", label="application_name"),
                Column("State", label="state"),
                Column("Process", label="pid"),
                Column("Waiting for it", query=0, unit=Unit.COUNT),
                Column("Transaction open for", query=1, unit=Unit.SECONDS),
            ),
            sort_by="Waiting for it",
        ),
    ),
)

_TABLE = "server, datname, relname"
_SCANS = total(rate(postgres_depth.TABLE_COUNTERS["seq_scan"], SERVER), by=_TABLE)
_ROWS_READ = total(rate(postgres_depth.TABLE_COUNTERS["seq_tup_read"], SERVER), by=_TABLE)
_INDEX_SCANS = total(rate(postgres_depth.TABLE_COUNTERS["idx_scan"], SERVER), by=_TABLE)
_LIVE = total(series(postgres_depth.TABLE_GAUGES["n_live_tup"], SERVER), by=_TABLE)
_DEAD = total(series(postgres_depth.TABLE_GAUGES["n_dead_tup"], SERVER), by=_TABLE)
_INDEX = "server, datname, relname, indexrelname"

TABLES = Row(
    "Tables and indexes",
    (
        TimeSeries(
            title="Index use",
            description="Share of scans that used an index, over all tables. A fall after a deploy "
            "is a query that has no index for it.",
            queries=(
                Query(
                    ratio(
                        f"sum by (datname) ({_INDEX_SCANS})",
                        f"(sum by (datname) ({_INDEX_SCANS}) + sum by (datname) ({_SCANS}))",
                    ),
                    "{{datname}}",
                ),
            ),
            unit=Unit.RATIO,
        ),
        TimeSeries(
            title="Rows read without an index",
            description="Rows a second read by scanning whole tables, the five worst. Small tables "
            "are scanned on purpose; large ones want an index.",
            queries=(Query(f"topk(5, {_ROWS_READ})", "{{relname}}"),),
            unit=Unit.EVENTS_PER_SECOND,
        ),
        TimeSeries(
            title="Dead rows",
            description="Rows deleted or replaced whose space is not free yet, the five worst. "
            "Growth means that vacuum cannot keep up, or that an old transaction stops it.",
            queries=(Query(f"topk(5, {_DEAD})", "{{relname}}"),),
        ),
        Table(
            title="Tables",
            description="The twenty largest tables: rows, dead rows, and how they are read.",
            queries=(
                Query(f"topk(20, {total(series(postgres_depth.TABLE_SIZE, SERVER), by=_TABLE)})"),
                Query(_LIVE),
                Query(_DEAD),
                Query(_SCANS),
                Query(_INDEX_SCANS),
            ),
            columns=(
                Column("Table", label="relname"),
                Column("Database", label="datname"),
                Column("Size", query=0, unit=Unit.BYTES),
                Column("Rows", query=1, unit=Unit.COUNT),
                Column("Dead rows", query=2, unit=Unit.COUNT),
                Column("Whole scans", query=3, unit=Unit.OPERATIONS_PER_SECOND),
                Column("Index scans", query=4, unit=Unit.OPERATIONS_PER_SECOND),
            ),
            sort_by="Size",
        ),
        Table(
            title="Unused indexes",
            description="Indexes nobody has used since the server's statistics began, the largest "
            "first. Each one costs every write; primary keys must stay.",
            queries=(
                Query(
                    f"topk(10, {total(series(postgres_depth.INDEX_SIZE, SERVER), by=_INDEX)} and "
                    f"{total(series(postgres_depth.INDEX_SCANS, SERVER), by=_INDEX)} == 0)",
                    silence=silences.UNUSED_INDEX,
                ),
            ),
            columns=(
                Column("Index", label="indexrelname"),
                Column("Table", label="relname"),
                Column("Database", label="datname"),
                Column("Size", query=0, unit=Unit.BYTES),
            ),
            sort_by="Size",
        ),
    ),
)

UPKEEP = Row(
    "Replication and upkeep",
    (
        TimeSeries(
            title="Standby behind by",
            description="Write-ahead log a standby has yet to replay. Needs a standby.",
            queries=(
                Query(
                    series(postgres_depth.STANDBY_LAG, SERVER),
                    "{{application_name}}",
                    silence=silences.STANDBY,
                ),
            ),
            unit=Unit.BYTES,
        ),
        TimeSeries(
            title="Replica behind by",
            description="How far a replica is behind in time; 0 on a primary.",
            queries=(
                Query(series(postgres_depth.REPLICATION["lag_seconds"], SERVER), "{{server}}"),
            ),
            unit=Unit.SECONDS,
            thresholds=rising(notice=5, warning=60),
        ),
        TimeSeries(
            title="Write-ahead log",
            description="Disk space of the log. It grows without end while a replication slot is "
            "not read, until the disk is full.",
            queries=(Query(series(postgres_depth.WAL_SIZE, SERVER), "{{server}}"),),
            unit=Unit.BYTES,
        ),
        TimeSeries(
            title="Transaction ids in use",
            description="Share of the two thousand million transaction ids used since the oldest "
            "row was frozen. At 100 % the server refuses to write: vacuum must come first.",
            queries=(
                Query(
                    f"max by (datname) ({series(postgres_depth.WRAPAROUND['xid_age'], SERVER)})"
                    f" / {WRAPAROUND_LIMIT}",
                    "{{datname}}",
                ),
            ),
            unit=Unit.RATIO,
            thresholds=rising(notice=0.2, warning=0.5, critical=0.8),
        ),
        TimeSeries(
            title="Old transactions",
            description="Transactions open for more than a minute: they keep vacuum from freeing "
            "rows, and hold locks.",
            queries=(
                Query(
                    series(postgres_depth.LONG_TRANSACTIONS["transactions"], SERVER), "{{server}}"
                ),
            ),
            thresholds=rising(notice=1),
        ),
        TimeSeries(
            title="Checkpoints asked for",
            description="Checkpoints a second that came before their time. More than now and then "
            "means that max_wal_size is too small.",
            queries=(
                Query(
                    f"{rate(postgres_depth.CHECKPOINTER['num_requested'], SERVER)} or "
                    f"{rate(postgres_depth.BGWRITER['checkpoints_req'], SERVER)}",
                    "{{server}}",
                ),
            ),
            unit=Unit.EVENTS_PER_SECOND,
        ),
    ),
)

AHEAD = Row("Limits ahead", (ahead.limits_ahead(ahead.OF_DATABASES),))

DASHBOARD = Dashboard(
    uid="watchkeeper-database",
    title="Database Performance",
    purpose="Are the databases answering quickly, and which statements are not?",
    variables=(
        scope.environment(postgres.UP),
        Variable("server", "Server", postgres.UP, "server", within=scope.ENVIRONMENT),
    ),
    rows=(NOW, STATEMENTS, BLOCKING, CONNECTED, TABLES, UPKEEP, AHEAD),
    see_also=("watchkeeper-system", "watchkeeper-cache", "watchkeeper-tasks"),
)
