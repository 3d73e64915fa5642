"""Task Integration: are tasks created, worked off and handed over as fast as they should be?"""

from dashboards import scope, silences
from dashboards.promql import mean, quantile, rate, ratio, series, total
from dashboards.spec import (
    Dashboard,
    HeatMap,
    Level,
    Query,
    Row,
    Stat,
    TimeSeries,
    Unit,
    Variable,
    at_least,
    rising,
)
from watchkeeper.catalogue import tasks

SERVICE = scope.SERVICE
QUEUE = 'queue=~"$queue"'

WAITING = f"sum({series(tasks.QUEUE_DEPTH, QUEUE)})"
CREATED = total(rate(tasks.CREATED, SERVICE))
HANDOFF = rising(notice=1, warning=5, critical=30)
# The requirement is a lag under 50 ms; a second is one missed round of the copier.
SYNC = rising(notice=0.05, warning=1, critical=30)
WAIT = rising(notice=1, warning=10, critical=60)

NOW = Row(
    "Now",
    (
        Stat(
            title="Creation rate",
            description="Tasks put on any queue. A fall to zero while users are active means the "
            "producers stopped, not that there is no work.",
            queries=(Query(CREATED),),
            unit=Unit.OPERATIONS_PER_SECOND,
        ),
        Stat(
            title="Handoff duration",
            description="Mean time from one agent handing a task over to the other accepting it. "
            "Growing handoff with a short queue points at the link between the agents.",
            queries=(Query(mean(tasks.HANDOFF, SERVICE)),),
            unit=Unit.SECONDS,
            thresholds=HANDOFF,
        ),
        Stat(
            title="Sync lag",
            description="How far the replica furthest behind is behind its agent.",
            queries=(Query(f"max({series(tasks.SYNC_LAG, SERVICE)})"),),
            unit=Unit.SECONDS,
            thresholds=SYNC,
        ),
        Stat(
            title="Queue depth",
            description="Tasks waiting on the broker. Depth that grows while workers are alive "
            "asks for more workers; depth that grows with no worker asks for a restart.",
            queries=(Query(WAITING),),
            thresholds=rising(notice=20, warning=50, critical=500),
        ),
        Stat(
            title="Oldest task",
            description="Age of the task waiting longest. It grows a second a second when nothing "
            "is taken from the queue.",
            queries=(Query(f"max({series(tasks.OLDEST_AGE, QUEUE)})"),),
            unit=Unit.SECONDS,
            thresholds=WAIT,
        ),
        Stat(
            title="Workers",
            description="Workers that listen. Zero is an outage of everything asynchronous.",
            queries=(Query(f"sum({series(tasks.WORKERS, QUEUE)})"),),
            thresholds=at_least(1, otherwise=Level.CRITICAL),
        ),
    ),
)

FLOW = Row(
    "Flow",
    (
        TimeSeries(
            title="Created, started and finished",
            description="The three lines lie on each other in health. Created above finished is a "
            "backlog being built; finished above created is one being worked off.",
            queries=(
                Query(CREATED, "created"),
                Query(total(rate(tasks.STARTED, SERVICE)), "started"),
                Query(total(rate(tasks.FINISHED, SERVICE)), "finished"),
            ),
            unit=Unit.OPERATIONS_PER_SECOND,
        ),
        TimeSeries(
            title="Outcomes",
            description="How tasks ended. Watch for failed and rejected.",
            queries=(
                Query(total(rate(tasks.FINISHED, SERVICE), by="outcome"), "{{outcome}}"),
                Query(total(rate(tasks.RETRIED, SERVICE)), "retried", silence=silences.RETRIED),
            ),
            unit=Unit.OPERATIONS_PER_SECOND,
        ),
        TimeSeries(
            title="Drain time",
            description="How long the waiting tasks take at the rate they are finished now. No "
            "line means that none is being finished.",
            queries=(Query(ratio(WAITING, total(rate(tasks.FINISHED, SERVICE))), "all queues"),),
            unit=Unit.SECONDS,
            thresholds=rising(notice=60, warning=600),
        ),
        TimeSeries(
            title="Depth by queue",
            description="Tasks waiting, queue by queue: which one is stuck?",
            queries=(Query(series(tasks.QUEUE_DEPTH, QUEUE), "{{queue}}"),),
            is_vital=True,
        ),
    ),
)

TIMES = Row(
    "Times",
    (
        TimeSeries(
            title="Queue wait",
            description="Time from publishing to a worker beginning. p99 far above p50 means some "
            "tasks queue behind long ones.",
            queries=(
                Query(quantile(0.5, tasks.WAIT, SERVICE), "p50"),
                Query(quantile(0.95, tasks.WAIT, SERVICE), "p95"),
                Query(quantile(0.99, tasks.WAIT, SERVICE), "p99"),
            ),
            unit=Unit.SECONDS,
            thresholds=WAIT,
        ),
        HeatMap(
            title="Waits",
            description="How many tasks waited how long. A second band far above the first is work "
            "stuck behind something long.",
            queries=(Query(total(rate(tasks.WAIT.bucket, SERVICE), by="le"), "{{le}}"),),
            unit=Unit.SECONDS,
        ),
        TimeSeries(
            title="Run time by task",
            description="p95 of the time a worker spends on each kind of task.",
            queries=(Query(quantile(0.95, tasks.RUN, SERVICE, by="task"), "{{task}}"),),
            unit=Unit.SECONDS,
        ),
        TimeSeries(
            title="Handoff duration",
            description="From handing over at one agent to acceptance at the other, by direction.",
            queries=(
                Query(
                    quantile(0.5, tasks.HANDOFF, SERVICE, by="source, target"),
                    "p50 {{source}} → {{target}}",
                ),
                Query(
                    quantile(0.95, tasks.HANDOFF, SERVICE, by="source, target"),
                    "p95 {{source}} → {{target}}",
                ),
            ),
            unit=Unit.SECONDS,
            thresholds=HANDOFF,
        ),
        TimeSeries(
            title="Sync lag",
            description="How far each replica is behind. A straight ramp means copying stopped.",
            queries=(Query(series(tasks.SYNC_LAG, SERVICE), "{{source}} → {{target}}"),),
            unit=Unit.SECONDS,
            thresholds=SYNC,
        ),
        TimeSeries(
            title="Oldest task",
            description="Age of the task waiting longest, by queue.",
            queries=(Query(series(tasks.OLDEST_AGE, QUEUE), "{{queue}}"),),
            unit=Unit.SECONDS,
            thresholds=WAIT,
        ),
        TimeSeries(
            title="Workers and work in flight",
            description="Listening workers, and tasks being worked on. In flight at its ceiling "
            "while depth grows: add workers.",
            queries=(
                Query(series(tasks.WORKERS, QUEUE), "workers {{queue}}"),
                Query(total(series(tasks.IN_FLIGHT, SERVICE)), "in flight"),
            ),
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="watchkeeper-tasks",
    title="Task Integration",
    purpose="Are tasks created, worked off and handed over as fast as they should be?",
    variables=(
        *scope.of_service(tasks.CREATED),
        Variable("queue", "Queue", tasks.QUEUE_DEPTH, "queue"),
    ),
    rows=(NOW, FLOW, TIMES),
    see_also=("watchkeeper-system", "watchkeeper-cache", "watchkeeper-remediation"),
)
