"""Cache: do look-ups find what they look for, and does the cache keep it?"""

from dashboards import limits, scope, silences
from dashboards.promql import quantile, rate, ratio, series, share, total
from dashboards.spec import (
    Column,
    Dashboard,
    HeatMap,
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
from watchkeeper.catalogue import cache, redis

HERE = scope.SERVICE
SERVER = 'server=~"$server"'
HIT = f'{HERE}, result="hit"'
HITS = total(rate(redis.KEYSPACE_HITS, SERVER), by="server")
LOOKUPS = f"({HITS} + {total(rate(redis.KEYSPACE_MISSES, SERVER), by='server')})"
COSTLIEST = f"topk(10, {total(rate(redis.COMMANDS_DURATION, SERVER), by='server, cmd')})"
LOOKED_UP = total(rate(cache.REQUESTS, HERE), by="cache, level")

NOW = Row(
    "Now",
    (
        Stat(
            title="Servers answering",
            description="Share of the Redis and Valkey servers that answer the agent.",
            queries=(Query(f"avg({series(redis.UP, SERVER)})"),),
            unit=Unit.RATIO,
            thresholds=at_least(1),
            runbook="RedisDown",
        ),
        Stat(
            title="Application hits",
            description="Share of the applications' own look-ups that found what they looked for. "
            "Below one half, the cache costs more than it saves.",
            queries=(
                Query(share(total(rate(cache.REQUESTS, HIT)), total(rate(cache.REQUESTS, HERE)))),
            ),
            unit=Unit.RATIO,
        ),
        Stat(
            title="Memory",
            description="Memory in use by all servers.",
            queries=(Query(total(series(redis.MEMORY_USED, SERVER))),),
            unit=Unit.BYTES,
        ),
        Stat(
            title="Clients",
            description="Connections from clients to all servers.",
            queries=(Query(total(series(redis.CONNECTED_CLIENTS, SERVER))),),
        ),
        Stat(
            title="Keys",
            description="Keys in all databases of all servers.",
            queries=(Query(total(series(redis.DB_KEYS, SERVER))),),
        ),
        Stat(
            title="Evicted",
            description="Keys thrown out in the last hour for want of memory. More than a few mean "
            "that the cache is too small for what is put into it.",
            queries=(Query(f"sum(increase({series(redis.EVICTED_KEYS, SERVER)}[1h]))"),),
            thresholds=rising(notice=1),
        ),
    ),
)

APPLICATIONS = Row(
    "As applications see it",
    (
        TimeSeries(
            title="Hits by cache and level",
            description="Share of look-ups that found something. A cliff is a cache emptied or "
            "keys that expired together.",
            queries=(
                Query(
                    ratio(total(rate(cache.REQUESTS, HIT), by="cache, level"), LOOKED_UP),
                    "{{cache}} {{level}}",
                ),
            ),
            unit=Unit.RATIO,
        ),
        TimeSeries(
            title="Look-ups by result",
            description="Look-ups a second. Errors are calls that went to the database instead.",
            queries=(
                Query(
                    total(rate(cache.REQUESTS, HERE), by="level, result"), "{{level}} {{result}}"
                ),
            ),
            unit=Unit.OPERATIONS_PER_SECOND,
            stacked=True,
        ),
        TimeSeries(
            title="Operation p95",
            description="Time of an operation as the application sees it.",
            queries=(
                Query(
                    quantile(0.95, cache.LATENCY, HERE, by="level, operation"),
                    "{{level}} {{operation}}",
                ),
            ),
            unit=Unit.SECONDS,
        ),
        HeatMap(
            title="Operation times",
            description="How many operations took how long: a second band far above the first is "
            "the network, or a server that was busy.",
            queries=(Query(total(rate(cache.LATENCY.bucket, HERE), by="le"), "{{le}}"),),
            unit=Unit.SECONDS,
        ),
    ),
)

SERVERS = Row(
    "Servers",
    (
        TimeSeries(
            title="Commands",
            description="Commands a second. A fall to zero while clients are connected is a stall.",
            queries=(
                Query(total(rate(redis.COMMANDS_PROCESSED, SERVER), by="server"), "{{server}}"),
            ),
            unit=Unit.OPERATIONS_PER_SECOND,
        ),
        TimeSeries(
            title="Key hits",
            description="Share of look-ups that found a key, as the server counts them.",
            queries=(Query(ratio(HITS, LOOKUPS), "{{server}}"),),
            unit=Unit.RATIO,
        ),
        TimeSeries(
            title="Memory against its limit",
            description="Share of the memory the server may use; servers without a limit grow "
            "until the machine's ends and are not shown.",
            queries=(
                Query(
                    ratio(series(redis.MEMORY_USED, SERVER), series(redis.MEMORY_MAX, SERVER)),
                    "{{server}}",
                    silence=silences.MEMORY_LIMIT,
                ),
            ),
            unit=Unit.RATIO,
            thresholds=limits.SPACE,
        ),
        TimeSeries(
            title="Memory",
            description="Memory in use, and resident: far apart is fragmentation.",
            queries=(
                Query(series(redis.MEMORY_USED, SERVER), "used {{server}}"),
                Query(series(redis.FROM_INFO["used_memory_rss"], SERVER), "resident {{server}}"),
            ),
            unit=Unit.BYTES,
        ),
        TimeSeries(
            title="Clients",
            description="Connections, and clients in a blocking call (workers waiting for a task "
            "do that all day).",
            queries=(
                Query(series(redis.CONNECTED_CLIENTS, SERVER), "connected {{server}}"),
                Query(series(redis.BLOCKED_CLIENTS, SERVER), "blocked {{server}}"),
            ),
        ),
        TimeSeries(
            title="Keys lost",
            description="Keys that expired and keys thrown out for want of memory, a second.",
            queries=(
                Query(rate(redis.EXPIRED_KEYS, SERVER), "expired {{server}}"),
                Query(rate(redis.EVICTED_KEYS, SERVER), "evicted {{server}}"),
            ),
            unit=Unit.EVENTS_PER_SECOND,
        ),
        Table(
            title="Commands by time",
            description="The ten commands the servers spend most time on. KEYS, and big LRANGE or "
            "SMEMBERS, stop everybody else while they run.",
            queries=(
                Query(COSTLIEST),
                Query(f"{total(rate(redis.COMMANDS, SERVER), by='server, cmd')} and {COSTLIEST}"),
            ),
            columns=(
                Column("Command", label="cmd"),
                Column("Server", label="server"),
                Column("Share of time", query=0, unit=Unit.RATIO),
                Column("Calls", query=1, unit=Unit.OPERATIONS_PER_SECOND),
            ),
            sort_by="Share of time",
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="watchkeeper-cache",
    title="Cache",
    purpose="Do look-ups find what they look for, and does the cache keep it?",
    variables=(
        *scope.of_service(cache.REQUESTS),
        Variable("server", "Server", redis.UP, "server"),
    ),
    rows=(NOW, APPLICATIONS, SERVERS),
    see_also=("watchkeeper-system", "watchkeeper-database", "watchkeeper-http"),
)
