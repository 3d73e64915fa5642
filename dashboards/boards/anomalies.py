"""Anomalies: which series are not as they should be, and how sure are we?"""

from dashboards import ahead, panels, silences
from dashboards.promql import largest, quantile, rate, series, total
from dashboards.spec import (
    Column,
    Dashboard,
    Query,
    Role,
    Row,
    Stat,
    Table,
    TimeSeries,
    Unit,
    Variable,
    rising,
)
from watchkeeper.catalogue import anomaly

QUERY = 'query=~"$query"'
UNUSUAL = f"{largest(series(anomaly.SCORE, QUERY), by='query, series')} > 1"
SERIES = f'{QUERY}, series=~"$series"'
# A score above 1 is anomalous whichever detector gave it: that is what the score means.
SCORE = rising(notice=0.8, warning=1)


def of_service(expression: str) -> str:
    """Return ``expression`` with the label ``service``, read out of the selector in ``series``."""
    pattern = '.*[{ ]service=\\"([^\\"]*)\\".*'
    return f'label_replace({expression}, "service", "$1", "series", "{pattern}")'


NOW = Row(
    "Now",
    (
        Stat(
            title="Series alerting",
            description="Series for which an anomaly alert is being sent right now.",
            queries=(Query(total(series(anomaly.ALERTING, QUERY))),),
            thresholds=rising(warning=1),
        ),
        Stat(
            title="Highest score",
            description="The most unusual series; above 1 is anomalous.",
            queries=(Query(largest(series(anomaly.SCORE, QUERY))),),
            unit=Unit.PLAIN,
            thresholds=SCORE,
        ),
        Stat(
            title="Series watched",
            description="Series with enough history to be judged. Warming ones are not judged yet.",
            queries=(Query(total(series(anomaly.STATE, f'{QUERY}, state="ready"'))),),
        ),
        Stat(
            title="Oldest judgement",
            description="Age of the newest sample judged, of the query furthest behind. Growing "
            "lag means that nothing is being detected.",
            queries=(Query(largest(series(anomaly.LAG, QUERY))),),
            unit=Unit.SECONDS,
            thresholds=rising(notice=120, warning=300, critical=900),
        ),
    ),
)

BANDS = Row(
    "Each series in its band",
    (
        TimeSeries(
            title="$series",
            description="The measured value, what was expected, and the band it should stay in. "
            "Look for where the line leaves the band and whether it comes back.",
            queries=(
                Query(largest(series(anomaly.LOWER, SERIES)), "lower", Role.LOWER),
                Query(largest(series(anomaly.UPPER, SERIES)), "upper", Role.UPPER),
                Query(largest(series(anomaly.EXPECTED, SERIES)), "expected", Role.EXPECTED),
                Query(largest(series(anomaly.ACTUAL, SERIES)), "actual"),
            ),
            unit=Unit.PLAIN,
            minimum=None,
            repeat="series",
        ),
    ),
    collapsed=True,
)

SCORES = Row(
    "Scores",
    (
        TimeSeries(
            title="Score by query",
            description="The highest score of each query. One query rising alone is a local "
            "problem; many at once share a cause.",
            queries=(Query(largest(series(anomaly.SCORE, QUERY), by="query"), "{{query}}"),),
            unit=Unit.PLAIN,
            thresholds=SCORE,
        ),
        TimeSeries(
            title="Series by state",
            description="Warming series have too little history, stale ones stopped getting "
            "samples, absent ones vanished. Only ready series are judged.",
            queries=(Query(total(series(anomaly.STATE, QUERY), by="state"), "{{state}}"),),
            stacked=True,
        ),
        TimeSeries(
            title="Unusual series by service",
            description="How many of a service's series score above 1. A service alone has a "
            "trouble of its own; many together share a cause.",
            queries=(
                Query(
                    f"sum by (service) ({of_service(f'{series(anomaly.SCORE, QUERY)} > bool 1')})",
                    "{{service}}",
                ),
            ),
            stacked=True,
        ),
        TimeSeries(
            title="Share of series unusual",
            description="The anomaly rate: the share of judged series that score above 1. Above a "
            "few percent for long, the sensitivity is wrong or the normal has changed.",
            queries=(Query(f"avg({series(anomaly.SCORE, QUERY)} > bool 1)", "all"),),
            unit=Unit.RATIO,
            thresholds=rising(notice=0.05, warning=0.2),
        ),
        Table(
            title="Contributors",
            description="What makes each query's highest score: its series above 1, and how far "
            "each lies from what was expected of it. Empty is good.",
            queries=(
                Query(UNUSUAL, silence=silences.OUT_OF_BAND),
                Query(
                    f"{largest(series(anomaly.ACTUAL, QUERY), by='query, series')} and {UNUSUAL}",
                    silence=silences.OUT_OF_BAND,
                ),
                Query(
                    f"{largest(series(anomaly.EXPECTED, QUERY), by='query, series')} and {UNUSUAL}",
                    silence=silences.OUT_OF_BAND,
                ),
            ),
            columns=(
                Column("Query", label="query"),
                Column("Series", label="series"),
                Column("Score", query=0),
                Column("Now", query=1),
                Column("Expected", query=2),
            ),
            sort_by="Score",
        ),
        Table(
            title="Most unusual series",
            description="The ten highest scores and who gave them.",
            queries=(Query(f"topk(10, {series(anomaly.SCORE, QUERY)})"),),
            columns=(
                Column("Query", label="query"),
                Column("Series", label="series"),
                Column("Detector", label="detector"),
                Column("Score", query=0),
            ),
            sort_by="Score",
        ),
    ),
)

AHEAD = Row(
    "Limits ahead",
    (ahead.LIMITS_NEAR, ahead.NEAREST_LIMITS, ahead.limits_ahead(ahead.EVERY)),
)

SERVICE = Row(
    "The service itself",
    (
        TimeSeries(
            title="Evaluation time",
            description="p95 of reading and scoring one query. It must stay well under the "
            "query's cadence.",
            queries=(
                Query(quantile(0.95, anomaly.EVALUATION_SECONDS, QUERY, by="query"), "{{query}}"),
            ),
            unit=Unit.SECONDS,
        ),
        TimeSeries(
            title="Evaluations by outcome",
            description="Anything but ok means a query is not being judged.",
            queries=(Query(total(rate(anomaly.EVALUATIONS), by="outcome"), "{{outcome}}"),),
            unit=Unit.OPERATIONS_PER_SECOND,
        ),
        panels.MISSED_RUNS,
    ),
    collapsed=True,
)

DASHBOARD = Dashboard(
    uid="watchkeeper-anomalies",
    title="Anomalies",
    purpose="Which series are not as they should be, and how sure are we?",
    variables=(
        Variable("query", "Query", anomaly.SCORE, "query"),
        Variable("series", "Series", anomaly.SCORE, "series", within=QUERY),
    ),
    rows=(NOW, SCORES, BANDS, AHEAD, SERVICE),
    see_also=("watchkeeper-system", "watchkeeper-remediation"),
)
