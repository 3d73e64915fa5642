"""Remediation: what went wrong, what was done about it, and did it work?"""

from dashboards import panels, silences
from dashboards.promql import counted, largest, mean, quantile, rate, ratio, series, total
from dashboards.spec import Dashboard, Query, Row, Stat, TimeSeries, Unit, rising
from watchkeeper.catalogue import prometheus
from watchkeeper.catalogue import watchkeeper as own

FIRING = series(prometheus.ALERTS, 'alertstate="firing"')

NOW = Row(
    "Now",
    (
        Stat(
            title="Open incidents",
            description="Episodes that are not over. Zero is the usual state.",
            queries=(Query(total(series(own.INCIDENTS))),),
            thresholds=rising(warning=1),
        ),
        Stat(
            title="Critical",
            description="Open incidents someone should be awake for.",
            queries=(Query(total(series(own.INCIDENTS, 'severity="critical"'))),),
            thresholds=rising(critical=1),
        ),
        Stat(
            title="Actions paused",
            description="1 while the kill switch holds all remediation back.",
            queries=(Query(largest(series(own.ACTIONS_PAUSED))),),
            runbook="ActionsPausedLong",
            thresholds=rising(warning=1),
        ),
        Stat(
            title="Deliveries waiting",
            description="Messages and webhooks not yet made. They are kept until they are.",
            queries=(Query(total(series(own.OUTBOX_PENDING)), silence=silences.RECEIVER),),
            thresholds=rising(notice=5, warning=50),
        ),
        panels.OLDEST_DELIVERY,
        Stat(
            title="Dead letters",
            description="Deliveries given up on. Each one is a person who was not told.",
            queries=(Query(total(series(own.DEAD_LETTERS)), silence=silences.RECEIVER),),
            runbook="DeliveryGivenUp",
            thresholds=rising(critical=1),
        ),
    ),
)

ACTIONS = Row(
    "Actions",
    (
        TimeSeries(
            title="Actions by outcome",
            description="Actions that ended in the last ten minutes. Unverified means that the "
            "button was pressed and the symptom stayed.",
            queries=(
                Query(
                    total(counted(own.ACTIONS, "10m"), by="action, state"),
                    "{{action}} {{state}}",
                    silence=silences.ACTED,
                ),
            ),
        ),
        TimeSeries(
            title="Actions by rule",
            description="Actions each rule ended in the last hour: what its budget is spent on.",
            queries=(
                Query(
                    total(counted(own.ACTIONS, "1h"), by="rule"), "{{rule}}", silence=silences.ACTED
                ),
            ),
        ),
        TimeSeries(
            title="Budget left",
            description="Actions that each rule's budget still allows. At zero the rule is held "
            "back until the oldest is a window old: look at what it keeps mending.",
            queries=(Query(series(own.ACTION_BUDGET_LEFT), "{{rule}}", silence=silences.RULE),),
        ),
        TimeSeries(
            title="Denials by guard",
            description="Actions a guard refused in the last ten minutes: cooldown, budget, "
            "observe mode and the like. Many denials mean a rule wants to act again and again.",
            queries=(
                Query(
                    total(counted(own.ACTION_DENIALS, "10m"), by="guard"),
                    "{{guard}}",
                    silence=silences.REFUSED,
                ),
            ),
        ),
        TimeSeries(
            title="Time to tell",
            description="p95 of the time from an alert starting to its first message being "
            "delivered, over the last hour.",
            queries=(
                Query(
                    "histogram_quantile(0.95, "
                    f"{total(counted(own.DETECT_TO_NOTIFY.bucket, '1h'), by='le')})",
                    "p95",
                    silence=silences.TOLD,
                ),
            ),
            unit=Unit.SECONDS,
            thresholds=rising(notice=10, warning=60),
        ),
        TimeSeries(
            title="Time to recover",
            description="Mean time from an alert starting to its remediation being verified, of "
            "what was verified in the last hour.",
            queries=(
                Query(
                    ratio(
                        total(counted(own.RECOVERY.sum, "1h"), by="action"),
                        total(counted(own.RECOVERY.count, "1h"), by="action"),
                    ),
                    "{{action}}",
                    silence=silences.RECOVERED,
                ),
            ),
            unit=Unit.SECONDS,
        ),
    ),
)

MESSAGES = Row(
    "Alerts and messages",
    (
        TimeSeries(
            title="Alerts firing",
            description="What Prometheus' own rules are firing, by name.",
            queries=(
                Query(f"count by (alertname) ({FIRING})", "{{alertname}}", silence=silences.FIRING),
            ),
            stacked=True,
        ),
        TimeSeries(
            title="Delivery latency",
            description="Time from accepting an alert to the message being delivered.",
            queries=(
                Query(
                    quantile(0.95, own.DELIVERY_LATENCY, by="receiver"),
                    "p95 {{receiver}}",
                    silence=silences.TOLD,
                ),
                Query(
                    mean(own.DELIVERY_LATENCY, by="receiver"),
                    "mean {{receiver}}",
                    silence=silences.TOLD,
                ),
            ),
            unit=Unit.SECONDS,
            thresholds=rising(warning=2, critical=30),
        ),
        TimeSeries(
            title="Deliveries by outcome",
            description="Attempts to deliver. Retries are ordinary while a receiver is down.",
            queries=(
                Query(
                    total(rate(own.DELIVERIES), by="receiver, outcome"),
                    "{{receiver}} {{outcome}}",
                    silence=silences.TOLD,
                ),
            ),
            unit=Unit.OPERATIONS_PER_SECOND,
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="watchkeeper-remediation",
    title="Incidents and Remediation",
    purpose="What went wrong, what was done about it, and did it work?",
    rows=(NOW, ACTIONS, MESSAGES),
    see_also=("watchkeeper-system", "watchkeeper-anomalies", "watchkeeper-itself"),
)
