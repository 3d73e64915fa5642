"""The report as data: everything that is told, and what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from dashboards.objectives import OBJECTIVES, Objective
from dashboards.report import forecast, history, limits_ahead, measure, unusual
from dashboards.report.action_items import ActionItem, draw
from dashboards.report.forecast import RESOURCES, Forecast
from dashboards.report.history import Chapter
from dashboards.report.limits_ahead import Lookout
from dashboards.report.measure import KEY_METRICS, Measure
from dashboards.report.period import Period
from dashboards.report.unusual import Unusual
from watchkeeper.catalogue import prometheus as catalogue
from watchkeeper.clock import format_rfc3339
from watchkeeper.errors import UpstreamError
from watchkeeper.peers import Peer
from watchkeeper.prometheus import PrometheusClient, is_number

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Promise:
    """One objective over the period: the share of good events, and whether it was kept."""

    objective: str
    promise: str
    service: str
    good_ratio: float
    target_ratio: float

    @property
    def is_kept(self) -> bool:
        """Whether as many events were good as promised."""
        return self.good_ratio >= self.target_ratio


@dataclass(frozen=True, slots=True)
class Availability:
    """The share of the period in which a job's targets answered."""

    job: str
    up_ratio: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a period was like; ``problems`` name what could not be read, and so is not told."""

    period: Period
    promises: Sequence[Promise] = ()
    availability: Sequence[Availability] = ()
    measures: Sequence[Measure] = ()
    chapters: Sequence[Chapter] = ()
    unusual: Sequence[Unusual] = ()
    forecasts: Sequence[Forecast] = ()
    lookout: Lookout = field(default_factory=Lookout)
    problems: Sequence[str] = ()
    items: Sequence[ActionItem] = field(default=())

    @property
    def seconds(self) -> float:
        """Length of the period."""
        return self.period.seconds

    @property
    def health(self) -> str:
        """One sentence on how it was."""
        if self.problems and not self.measures:
            return "Little can be told: see what could not be read."
        broken = sum(not promise.is_kept for promise in self.promises)
        opened = sum(chapter.resolved_at is None for chapter in self.chapters)
        count = len(self.chapters)
        incidents = f"{count} incident{'' if count == 1 else 's'}"
        still = f", {opened} still open" if opened else ""
        kept = f"{len(self.promises) - broken} of {len(self.promises)} promises kept"
        return f"{incidents}{still}; {kept}." if self.promises else f"{incidents}{still}."

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data; times are RFC 3339, units stand in the keys."""
        plain: dict[str, Any] = _plain(asdict(self))
        plain["period"]["seconds"] = self.seconds
        plain["health"] = self.health
        for told, promise in zip(plain["promises"], self.promises, strict=True):
            told["is_kept"] = promise.is_kept
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, datetime):
        return format_rfc3339(value)
    if isinstance(value, float) and not is_number(value):
        return None
    return value


def gather(prometheus: PrometheusClient, alerting: Peer, period: Period) -> Report:
    """Read everything and draw the action items; what cannot be read is named, never made up."""
    problems: list[str] = []
    strange = _ask("anomalies", lambda: unusual.read(prometheus, period), problems)
    incidents = _ask("incidents", lambda: history.read(alerting, period), problems)
    found = Report(
        period,
        promises=_each("objectives", partial(_kept, prometheus, period), OBJECTIVES, problems),
        availability=_ask("availability", lambda: _answered(prometheus, period), problems),
        measures=_each(
            "key metrics",
            lambda metric: measure.read(prometheus, metric, period),
            KEY_METRICS,
            problems,
        ),
        chapters=[history.tell(one, strange) for one in incidents],
        unusual=strange,
        forecasts=_each(
            "capacity",
            lambda resource: forecast.read(prometheus, resource, period),
            RESOURCES,
            problems,
        ),
        lookout=_lookout(prometheus, period, problems),
    )
    return Report(
        **{name: getattr(found, name) for name in _TOLD}, problems=problems, items=draw(found)
    )


_TOLD = (
    "period", "promises", "availability", "measures", "chapters", "unusual", "forecasts",
    "lookout",
)  # fmt: skip


def _ask(what: str, ask: Callable[[], list[Found]], problems: list[str]) -> list[Found]:
    try:
        return ask()
    except UpstreamError as error:
        problems.append(f"{what}: {error}")
        return []


_Kind = TypeVar("_Kind")


def _each(
    what: str,
    ask: Callable[[_Kind], list[Found]],
    kinds: Sequence[_Kind],
    problems: list[str],
) -> list[Found]:
    """Ask for every kind; the first that cannot be read stands for the rest."""
    return _ask(what, lambda: [found for kind in kinds for found in ask(kind)], problems)


def _lookout(client: PrometheusClient, period: Period, problems: list[str]) -> Lookout:
    found = _ask("forecasts", lambda: [limits_ahead.read(client, period)], problems)
    return found[0] if found else Lookout()


def _kept(client: PrometheusClient, period: Period, objective: Objective) -> list[Promise]:
    found = client.query(objective.error_ratio(period.window), at=period.end)
    return [
        Promise(
            objective.name,
            objective.promise,
            one.labels.get("service", ""),
            1 - one.value,
            objective.target_ratio,
        )
        for one in found
        if is_number(one.value)
    ]


def _answered(client: PrometheusClient, period: Period) -> list[Availability]:
    expression = f"min by (job) (avg_over_time({catalogue.UP}[{period.window}]))"
    found = client.query(expression, at=period.end)
    told = [Availability(one.labels.get("job", ""), one.value) for one in found]
    return sorted(told, key=lambda one: one.up_ratio)
