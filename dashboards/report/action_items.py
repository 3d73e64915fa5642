"""What to do next: each item follows from numbers of the report, which stand beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from dashboards.console.quantities import quantity, span
from dashboards.report.forecast import Forecast
from dashboards.report.history import Chapter
from dashboards.report.limits_ahead import Lookout
from dashboards.report.measure import Measure
from dashboards.report.unusual import Unusual
from dashboards.spec import Level, Unit

SOON_SECONDS = 14 * 86_400.0
"""What is full within two weeks needs somebody now."""

WORSE_RATIO = 0.25
"""A mean that grew by a quarter against the period before is worth a look where it also matters."""

LONG_UNUSUAL_RATIO = 0.2
"""A series unusual for a fifth of the time is either a trouble or a new normal."""

SLOW_TO_TELL_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class ActionItem:
    """One thing to do, the numbers it follows from, and where to look.

    ``urgency`` 1 comes first.
    """

    urgency: int
    what: str
    evidence: str
    link: str


class Findings(Protocol):
    """What items are drawn from."""

    @property
    def seconds(self) -> float:
        """Length of the period."""

    @property
    def measures(self) -> Sequence[Measure]:
        """Key metrics."""

    @property
    def chapters(self) -> Sequence[Chapter]:
        """Incidents."""

    @property
    def unusual(self) -> Sequence[Unusual]:
        """Unusual series."""

    @property
    def forecasts(self) -> Sequence[Forecast]:
        """What fills up."""

    @property
    def lookout(self) -> Lookout:
        """Limits the anomaly service forecasts."""


def draw(findings: Findings) -> list[ActionItem]:
    """Return every item, the most urgent first."""
    items = [item for rule in RULES for item in rule(findings)]
    return sorted(items, key=lambda item: item.urgency)


def _what_fills_up(findings: Findings) -> Iterator[ActionItem]:
    for one in findings.forecasts:
        if one.full_in_seconds <= SOON_SECONDS:
            yield ActionItem(
                1,
                f"Make room: {one.resource} {one.series}".rstrip(),
                f"{quantity(one.used_ratio, Unit.RATIO)} in use and growing by "
                f"{quantity(one.per_day_ratio, Unit.RATIO)} a day: full in "
                f"{span(one.full_in_seconds)}",
                "/dashboards/watchkeeper-host",
            )


def _what_reaches_its_limit(findings: Findings) -> Iterator[ActionItem]:
    for one in findings.lookout.limits:
        if one.warns:
            latest = "later" if one.latest_seconds is None else span(one.latest_seconds)
            yield ActionItem(
                1,
                f"Keep from its limit: {one.forecast} {one.series}",
                f"forecast to be there in {span(one.likely_seconds)} (eight in ten futures: "
                f"{span(one.earliest_seconds)} to {latest})",
                "/runbooks/CapacityRunningOut",
            )


def _what_is_still_open(findings: Findings) -> Iterator[ActionItem]:
    for one in findings.chapters:
        if one.resolved_at is None:
            yield ActionItem(
                1,
                f"End it: {one.title}",
                f"{one.severity}, open since {one.started_at:%Y-%m-%d %H:%M} UTC; "
                f"{len(one.actions)} actions so far",
                f"/incidents/{one.id}",
            )


def _what_comes_again(findings: Findings) -> Iterator[ActionItem]:
    alike: dict[tuple[str, str], list[Chapter]] = defaultdict(list)
    for one in findings.chapters:
        alike[one.service, one.title].append(one)
    for (_, title), times in alike.items():
        if len(times) < 2:
            continue
        fixes = sorted({one.fixed_by for one in times if one.fixed_by})
        after = f"; {', '.join(fixes)} helped, but it came back" if fixes else ""
        yield ActionItem(
            2,
            f"Find the cause of: {title}",
            f"{len(times)} incidents in this period{after}",
            f"/incidents/{times[-1].id}",
        )


def _what_was_not_fixed(findings: Findings) -> Iterator[ActionItem]:
    for one in findings.chapters:
        if one.resolved_at is not None and one.actions and not one.fixed_by:
            yield ActionItem(
                2,
                f"Look at what was done about: {one.title}",
                f"{'; '.join(one.actions)}: nothing confirmed that it helped",
                f"/incidents/{one.id}",
            )


def _who_was_told_late(findings: Findings) -> Iterator[ActionItem]:
    untold = [one for one in findings.chapters if one.told_after_seconds is None]
    if untold:
        titles = "; ".join(dict.fromkeys(one.title for one in untold))
        yield ActionItem(
            2,
            "See that somebody is told: check the receivers in alerting.yml",
            f"{len(untold)} of {len(findings.chapters)} incidents without a delivered message: "
            f"{titles}",
            "/deliveries",
        )
    for one in findings.chapters:
        if one.told_after_seconds is not None and one.told_after_seconds > SLOW_TO_TELL_SECONDS:
            yield ActionItem(
                3,
                f"See why people were told late of: {one.title}",
                f"the first message went out {span(one.told_after_seconds)} after it began",
                "/deliveries",
            )


def _what_got_worse(findings: Findings) -> Iterator[ActionItem]:
    for one in findings.measures:
        grew = one.trend_ratio is not None and one.trend_ratio > WORSE_RATIO
        if one.level in (None, Level.OK) or not (grew or one.level is Level.CRITICAL):
            continue
        trend = (
            f", {quantity(one.trend_ratio, Unit.RATIO)} more than the period before" if grew else ""
        )
        yield ActionItem(
            2 if one.level is Level.CRITICAL else 3,
            f"Look at {one.metric.lower()} of {one.series}".removesuffix(" of "),
            f"p95 {quantity(one.p95, one.unit)}, p99 {quantity(one.p99, one.unit)}{trend}",
            f"/dashboards/{one.board}",
        )


def _what_is_unusual_for_long(findings: Findings) -> Iterator[ActionItem]:
    for one in findings.unusual:
        if one.seconds >= LONG_UNUSUAL_RATIO * findings.seconds:
            yield ActionItem(
                3,
                f"Decide whether this is the new normal: {one.query} {one.series}",
                f"unusual for {span(one.seconds)}, score up to {one.highest_score:.3g}",
                "/dashboards/watchkeeper-anomalies",
            )


RULES: tuple[Callable[[Findings], Iterator[ActionItem]], ...] = (
    _what_reaches_its_limit,
    _what_fills_up,
    _what_is_still_open,
    _what_comes_again,
    _what_was_not_fixed,
    _who_was_told_late,
    _what_got_worse,
    _what_is_unusual_for_long,
)
"""Adding one is a function and a line here."""
