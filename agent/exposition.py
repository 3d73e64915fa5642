"""What a scrape answers: what the collectors last brought, and how they are.

Nothing here waits for a collector; the lines were written when they were collected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.collectors import HOST_KINDS
from agent.family import Family, LabelValues, single
from agent.page import Pages
from agent.reading import Reading
from agent.schedule import Schedule
from agent.sheet import NOTHING, Sheet
from agent.status import Status
from agent.text import Renderer, TextFormat
from watchkeeper import __version__
from watchkeeper.catalogue import Metric, host
from watchkeeper.catalogue import watchkeeper as own
from watchkeeper.clock import Clock

SERVICE = "agent"


class Exposition:
    """Composes pages; ``clock`` tells the age of what is served."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pages = Pages()
        self._renderer, self._tail_renderer = Renderer(), Renderer()
        self._told: tuple[Mapping[str, Status], Sheet] = ({}, NOTHING)

    def render(
        self,
        schedule: Schedule,
        text_format: TextFormat,
        about: Iterable[Family] = (),
        *,
        is_compressed: bool = False,
    ) -> bytes:
        """Return one page of everything that has not expired, and ``about`` the agent itself."""
        now = self._clock.monotonic_seconds()
        schedule.demand.note(text_format, is_compressed=is_compressed)
        runners = schedule.runners
        sheets = [runner.sheet(now) for runner in runners.values()]
        statuses = {name: runner.status(now) for name, runner in runners.items()}
        tail = [*about, *_written(ages(statuses, now))]
        return self._pages.page(
            (*sheets, self._sheet_about(statuses)),
            text_format,
            tail=Sheet(self._tail_renderer.render(tail)),
            is_compressed=is_compressed,
        )

    def readings(self, schedule: Schedule, about: Iterable[Family] = ()) -> list[Reading]:
        """Return the same as families, each with the time it is of."""
        now = self._clock.monotonic_seconds()
        wall_seconds = self._clock.now().timestamp()
        statuses = {name: runner.status(now) for name, runner in schedule.runners.items()}
        readings = []
        for name, runner in schedule.runners.items():
            status = statuses[name]
            collected_at = status.collected_at
            age_seconds = 0.0 if collected_at is None else now - collected_at
            families = runner.sheet(now).families
            readings.append(Reading(families, int((wall_seconds - age_seconds) * 1e9)))
        own_families = [*_own_families(statuses), *about, *ages(statuses, now)]
        return [*readings, Reading(_written(own_families), int(wall_seconds * 1e9))]

    def _sheet_about(self, statuses: Mapping[str, Status]) -> Sheet:
        """Return what is told about the collectors, written anew only when one of them ran."""
        told, sheet = self._told
        if told != statuses:
            sheet = Sheet(self._renderer.render(_written(_own_families(statuses))))
            self._told = (statuses, sheet)
        return sheet


def _own_families(statuses: Mapping[str, Status]) -> list[Family]:
    build = single(own.BUILD_INFO, 1, (SERVICE, __version__))
    return [build, *collector_families(statuses)]


def ages(statuses: Mapping[str, Status], now_seconds: float) -> list[Family]:
    """Return how old what is served is: the one thing that differs in every scrape."""
    values: dict[LabelValues, float] = {
        (name,): now_seconds - status.last_success_at
        for name, status in statuses.items()
        if status.last_success_at is not None
    }
    return [_family(own.COLLECTOR_LAST_SUCCESS, values)]


def collector_families(statuses: Mapping[str, Status]) -> list[Family]:
    """Return what is told about each collector; nothing of one whose first run is not over."""
    told: dict[LabelValues, Status] = {
        (name,): status for name, status in statuses.items() if status.success is not None
    }
    of_host = {labels: status for labels, status in told.items() if labels[0] in HOST_KINDS}
    return [
        *_outcomes(own.COLLECTOR_SUCCESS, own.COLLECTOR_DURATION, told),
        *_outcomes(host.SCRAPE_SUCCESS, host.SCRAPE_DURATION, of_host),
        _family(own.COLLECTOR_SERIES, {k: v.series for k, v in told.items()}),
        _family(own.COLLECTOR_DROPPED, {k: v.dropped for k, v in told.items()}),
        _family(
            own.COLLECTOR_ERRORS,
            {
                (*labels, str(reason)): count
                for labels, status in told.items()
                for reason, count in status.errors.items()
            },
        ),
    ]


def _outcomes(
    success: Metric, duration: Metric, told: Mapping[LabelValues, Status]
) -> list[Family]:
    return [
        _family(success, {labels: int(bool(one.success)) for labels, one in told.items()}),
        _family(duration, {labels: one.duration_seconds for labels, one in told.items()}),
    ]


def _family(metric: Metric, values: Mapping[LabelValues, float]) -> Family:
    return Family(metric, list(values.items()))


def _written(families: Iterable[Family]) -> list[Family]:
    return [family for family in families if family.samples]
