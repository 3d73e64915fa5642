"""Service level objectives: what share of events must be good, over how long.

An objective is promised per service, so each expression is summed by ``service``. Burn rates follow
the site reliability workbook (Google, 2018, chapter 5, "Alerting on SLOs"): the error ratio over a
window divided by the error budget, 1 being the rate that uses the budget up exactly at its end.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.promql import rate, series, total
from watchkeeper.catalogue import http, prometheus, tasks


@dataclass(frozen=True, slots=True)
class Objective:
    """One promise.

    Args:
        name: in a few words.
        promise: as it is made to users.
        target_ratio: share of good events promised, 0 to 1 exclusive.
        bad: PromQL for bad events a second by service; ``WINDOW`` stands for the window.
        whole: PromQL for all events a second by service.
    """

    name: str
    promise: str
    target_ratio: float
    bad: str
    whole: str

    @property
    def budget_ratio(self) -> float:
        """The share of events that may be bad."""
        return 1 - self.target_ratio

    def error_ratio(self, window: str) -> str:
        """Return PromQL for the share of bad events over ``window``, 0 where none was bad."""
        bad, whole = (text.replace(WINDOW, window) for text in (self.bad, self.whole))
        return f"(({bad}) or ({whole}) * 0) / (({whole}) > 0)"

    def recorded(self, *windows: str, matching: str = "") -> str:
        """Return the selector of the recorded error ratios over ``windows`` of ``WINDOWS``."""
        chosen = f'objective="{self.name}", window=~"{"|".join(windows)}"'
        return series(prometheus.OBJECTIVE_ERRORS, ", ".join(filter(None, (chosen, matching))))


WINDOW = "WINDOW"
"""Stands for a window in an objective's expressions."""

BUDGET_WINDOW = "30d"
"""What a budget is for; a Prometheus that keeps less answers for what it keeps."""


@dataclass(frozen=True, slots=True)
class BurnWindows:
    """A pair of windows and the burn rate at which somebody should act.

    The long window says that it matters, the short one that it still goes on.
    """

    long: str
    short: str
    factor: float
    advice: str


BURN_WINDOWS = (
    BurnWindows("1h", "5m", 14.4, "wake somebody: two percent of the month's budget in an hour"),
    BurnWindows("6h", "30m", 6.0, "wake somebody: five percent of the month's budget in six hours"),
    BurnWindows("3d", "6h", 1.0, "a ticket: the budget will not last the month"),
)
"""Windows and factors of the workbook's table 5-8."""

WINDOWS = ("5m", "30m", "1h", "6h", "3d")
"""Each of them once, shortest first."""


def _rate(name: str, matching: str = "") -> str:
    return total(rate(name, matching, window=WINDOW), by="service")


AVAILABILITY = Objective(
    "Availability",
    "99.9 % of requests are answered without a server error",
    0.999,
    _rate(http.REQUEST_DURATION.count, 'http_response_status_code=~"5.."'),
    _rate(http.REQUEST_DURATION.count),
)
WITHIN_A_SECOND = 'le=~"1|1[.]0"'
"""Python's client writes the bucket as 1.0, others as 1."""

LATENCY = Objective(
    "Latency",
    "99 % of requests are answered within a second",
    0.99,
    f"{_rate(http.REQUEST_DURATION.count)} - "
    + _rate(http.REQUEST_DURATION.bucket, WITHIN_A_SECOND),
    _rate(http.REQUEST_DURATION.count),
)
TASKS = Objective(
    "Tasks",
    "99.5 % of tasks succeed",
    0.995,
    _rate(str(tasks.FINISHED), 'outcome!="succeeded"'),
    _rate(str(tasks.FINISHED)),
)

OBJECTIVES = (AVAILABILITY, LATENCY, TASKS)
"""In the order they are shown. Adding one is an entry here."""
