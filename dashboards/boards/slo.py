"""Service levels: are promises kept, and how fast is what may go wrong being used up?"""

from collections.abc import Iterator

from dashboards.objectives import BUDGET_WINDOW, BURN_WINDOWS, OBJECTIVES, WINDOWS, Objective
from dashboards.spec import (
    Dashboard,
    Link,
    Panel,
    Query,
    Row,
    Stat,
    TimeSeries,
    Unit,
    Variable,
    at_least,
    rising,
)
from watchkeeper.catalogue import http

CHOSEN = 'service=~"$service"'


def _worst(objective: Objective, *windows: str) -> str:
    """Return the error ratio of the worst service, each by the mildest of its ``windows``."""
    return f"max(min by (service) ({objective.recorded(*windows, matching=CHOSEN)}))"


def _of_budget(ratio: str, objective: Objective) -> str:
    return f"{ratio} / {objective.budget_ratio:.6g}"


def _now() -> Iterator[Panel]:
    for objective in OBJECTIVES:
        yield Stat(
            title=f"{objective.name}: budget left",
            description=f"{objective.promise}. What is left of what may go wrong in "
            f"{BUDGET_WINDOW}, or in what Prometheus keeps of it. Below zero the promise is "
            "broken.",
            queries=(Query(f"1 - {_of_budget(_worst(objective, BUDGET_WINDOW), objective)}"),),
            unit=Unit.RATIO,
            thresholds=at_least(0.1),
        )
    for objective in OBJECTIVES:
        first = BURN_WINDOWS[0]
        yield Stat(
            title=f"{objective.name}: burn rate",
            description=f"How many times faster than allowed the budget goes, over {first.long} "
            f"and still over {first.short}. At {first.factor:g}: {first.advice}.",
            queries=(Query(_of_budget(_worst(objective, first.long, first.short), objective)),),
            unit=Unit.PLAIN,
            thresholds=rising(notice=1, warning=6, critical=14.4),
        )


def _detail(objective: Objective) -> Row:
    burn = TimeSeries(
        title=f"{objective.name}: burn rate by window",
        description="1 uses the budget up exactly at its end. A short window far above the long "
        "ones has just begun; all of them high is an old trouble.",
        queries=tuple(
            Query(_of_budget(_worst(objective, window), objective), window) for window in WINDOWS
        ),
        unit=Unit.PLAIN,
        thresholds=rising(notice=1, warning=6, critical=14.4),
        links=(Link("HTTP services", "watchkeeper-http"),),
    )
    ratio = TimeSeries(
        title=f"{objective.name}: share of bad events",
        description=f"{objective.promise}; the line is what that allows.",
        queries=(Query(objective.recorded("5m", matching=CHOSEN), "{{service}}"),),
        unit=Unit.RATIO,
        thresholds=rising(warning=objective.budget_ratio),
    )
    return Row(f"{objective.name}: {objective.promise}", (burn, ratio))


DASHBOARD = Dashboard(
    uid="watchkeeper-slo",
    title="Service Levels",
    purpose="Are promises kept, and how fast is what may go wrong being used up?",
    variables=(Variable("service", "Service", http.ACTIVE_REQUESTS, "service"),),
    rows=(Row("Now", tuple(_now())), *map(_detail, OBJECTIVES)),
    see_also=("watchkeeper-system", "watchkeeper-http", "watchkeeper-remediation"),
    window="6h",
)
