"""Watchkeeper itself: does the watching work, and what does it cost?"""

from dashboards import panels, silences
from dashboards.promql import largest, rate, series, total
from dashboards.spec import (
    UP_OR_DOWN,
    Column,
    Dashboard,
    Level,
    Query,
    Row,
    Stat,
    State,
    StateTimeline,
    Table,
    TimeSeries,
    Unit,
    at_least,
    rising,
)
from watchkeeper.catalogue import anomaly, process, prometheus
from watchkeeper.catalogue import watchkeeper as own

OURS = 'service="watchkeeper"'
OK_OR_FAILING = (State(0, "failing", Level.CRITICAL), State(1, "ok", Level.OK))
READY_OR_NOT = (State(0, "not ready", Level.WARNING), State(1, "ready", Level.OK))

NOW = Row(
    "Now",
    (
        Stat(
            title="Parts ready",
            description="Share of our own services that do their job.",
            queries=(Query(f"avg({own.READY})"),),
            unit=Unit.RATIO,
            thresholds=at_least(1),
            runbook="ServiceNotReady",
        ),
        Stat(
            title="Collectors failing",
            description="Collectors whose last run failed. What they watch is unknown meanwhile.",
            queries=(Query(f"sum({own.COLLECTOR_SUCCESS} == bool 0)"),),
            thresholds=rising(warning=1),
            runbook="CollectorFailing",
        ),
        Stat(
            title="Detection lag",
            description="Age of the newest sample judged, of the query furthest behind.",
            queries=(Query(largest(series(anomaly.LAG))),),
            unit=Unit.SECONDS,
            thresholds=rising(notice=120, warning=300, critical=900),
            runbook="AnomalyStale",
        ),
        panels.OLDEST_DELIVERY,
        Stat(
            title="CPU of all parts",
            description="Processor seconds a second that watching costs, Prometheus included.",
            queries=(Query(total(rate(process.CPU, OURS))),),
            unit=Unit.PLAIN,
        ),
        Stat(
            title="Memory of all parts",
            description="Resident memory that watching costs, Prometheus included.",
            queries=(Query(total(series(process.RESIDENT, OURS))),),
            unit=Unit.BYTES,
        ),
    ),
)

STATES = Row(
    "Working",
    (
        StateTimeline(
            title="Parts",
            description="Which of our services did their job, and when they did not.",
            queries=(Query(str(own.READY), "{{job}} {{instance}}"),),
            states=READY_OR_NOT,
            runbook="ServiceNotReady",
        ),
        StateTimeline(
            title="Collectors",
            description="Which collectors succeeded, and when they did not.",
            queries=(Query(str(own.COLLECTOR_SUCCESS), "{{collector}} {{instance}}"),),
            states=OK_OR_FAILING,
            runbook="CollectorFailing",
        ),
        StateTimeline(
            title="Targets",
            description="What Prometheus could scrape, and when it could not.",
            queries=(Query(str(prometheus.UP), "{{job}} {{instance}}"),),
            states=UP_OR_DOWN,
            runbook="TargetDown",
        ),
        StateTimeline(
            title="Configuration",
            description="Refused while a changed file cannot be used; the last good one stays in "
            "force.",
            queries=(Query(str(own.CONFIG_RELOAD_OK), "{{job}} {{file}}"),),
            states=(State(0, "refused", Level.WARNING), State(1, "in force", Level.OK)),
            runbook="ConfigurationRefused",
        ),
    ),
)

COST = Row(
    "What it costs",
    (
        TimeSeries(
            title="CPU",
            description="Processor seconds a second, part by part.",
            queries=(Query(total(rate(process.CPU, OURS), by="job"), "{{job}}"),),
            unit=Unit.PLAIN,
            stacked=True,
        ),
        TimeSeries(
            title="Memory",
            description="Resident memory, part by part. It should be flat.",
            queries=(Query(total(series(process.RESIDENT, OURS), by="job"), "{{job}}"),),
            unit=Unit.BYTES,
            stacked=True,
        ),
        TimeSeries(
            title="Scrapes",
            description="Time Prometheus took to read each target. A scrape never waits for a "
            "collector, so this stays small whatever hangs.",
            queries=(Query(largest(str(prometheus.SCRAPE_DURATION), by="job"), "{{job}}"),),
            unit=Unit.SECONDS,
            thresholds=rising(notice=1, warning=4),
        ),
        TimeSeries(
            title="Series",
            description="Series Prometheus holds in memory. A climb that does not level off is a "
            "label with too many values.",
            queries=(Query(str(prometheus.HEAD_SERIES), "series"),),
        ),
        Table(
            title="Slowest collectors",
            description="What each collector's last run took, how old its samples are and how many "
            "series it gives.",
            queries=(
                Query(f"max by (instance, collector) ({own.COLLECTOR_DURATION})"),
                Query(f"max by (instance, collector) ({own.COLLECTOR_LAST_SUCCESS})"),
                Query(f"max by (instance, collector) ({own.COLLECTOR_SERIES})"),
            ),
            columns=(
                Column("Collector", label="collector"),
                Column("Agent", label="instance"),
                Column("Duration", query=0, unit=Unit.SECONDS),
                Column("Age", query=1, unit=Unit.SECONDS),
                Column("Series", query=2, unit=Unit.COUNT),
            ),
            sort_by="Duration",
        ),
    ),
)

FLOW = Row(
    "From sample to person",
    (
        TimeSeries(
            title="Detection lag",
            description="Age of the newest sample each query has judged.",
            queries=(Query(largest(series(anomaly.LAG), by="query"), "{{query}}"),),
            unit=Unit.SECONDS,
        ),
        panels.MISSED_RUNS,
        TimeSeries(
            title="Messages waiting",
            description="Deliveries not yet made, by receiver, and those given up on.",
            queries=(
                Query(
                    total(series(own.OUTBOX_PENDING), by="receiver"),
                    "{{receiver}}",
                    silence=silences.RECEIVER,
                ),
                Query(total(series(own.DEAD_LETTERS)), "given up", silence=silences.RECEIVER),
            ),
        ),
        TimeSeries(
            title="Alerts taken",
            description="Alerts accepted a second, and refused ones.",
            queries=(
                Query(
                    total(rate(own.ALERTS_RECEIVED), by="status"),
                    "{{status}}",
                    silence=silences.ALERTED,
                ),
                Query(total(rate(own.ALERTS_INVALID)), "refused"),
            ),
            unit=Unit.OPERATIONS_PER_SECOND,
        ),
        TimeSeries(
            title="Rules that cannot be evaluated",
            description="Failed evaluations a second of Prometheus' rules, by group. An alert "
            "whose rule fails never fires.",
            queries=(
                Query(total(rate(prometheus.RULE_FAILURES), by="rule_group"), "{{rule_group}}"),
            ),
            unit=Unit.OPERATIONS_PER_SECOND,
            runbook="RuleEvaluationFailing",
        ),
        TimeSeries(
            title="Collector failures",
            description="Failed runs a second by reason.",
            queries=(
                Query(
                    total(rate(own.COLLECTOR_ERRORS), by="collector, reason"),
                    "{{collector}} {{reason}}",
                    silence=silences.COLLECTOR_FAILED,
                ),
            ),
            unit=Unit.OPERATIONS_PER_SECOND,
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="watchkeeper-itself",
    title="Watchkeeper Itself",
    purpose="Does the watching work, and what does it cost?",
    rows=(NOW, STATES, COST, FLOW),
    see_also=("watchkeeper-anomalies", "watchkeeper-remediation", "watchkeeper-system"),
)
