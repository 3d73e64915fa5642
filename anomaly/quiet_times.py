"""Times known beforehand in which nothing unusual is news: backups, batch jobs, holidays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from pydantic import Field, model_validator

from watchkeeper.clock import parse_rfc3339
from watchkeeper.configuration import DurationSeconds, Settings


class QuietTime(Settings):
    """One entry of ``calendar``: a crontab line with a duration, or a stretch of dates.

    Its samples alert nobody and teach nothing.

    Attributes:
        cron: minute, hour, day of month, month, day of week, in the query's timezone.
        duration: how long after each of those times.
        starts, ends: RFC 3339 times, or dates in the query's timezone; ``ends`` is included.
    """

    name: Annotated[str, Field(min_length=1)]
    cron: str | None = None
    duration: Annotated[DurationSeconds, Field(gt=0)] | None = None
    starts: str | None = None
    ends: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        by_cron = self.cron is not None and self.duration is not None
        by_dates = self.starts is not None and self.ends is not None
        if by_cron == by_dates:
            raise ValueError("expected cron and duration, or starts and ends")
        if self.cron is not None:
            CronTrigger.from_crontab(self.cron)
        if self.starts is not None and self.ends is not None:
            first, last = _begin_of(self.starts, "UTC"), _end_of(self.ends, "UTC")
            if first >= last:
                raise ValueError("expected ends to be after starts")
        return self


class QuietTimes:
    """The calendar of a query.

    Args:
        entries: its quiet times.
        timezone: whose clocks they follow; the attribute is the zone itself.
    """

    def __init__(self, entries: tuple[QuietTime, ...], timezone: str) -> None:
        zone = UTC if timezone == "UTC" else ZoneInfo(timezone)
        self.timezone: tzinfo = zone
        self._stretches = [
            (_begin_of(one.starts, timezone), _end_of(one.ends, timezone))
            for one in entries
            if one.starts is not None and one.ends is not None
        ]
        self._repeated = [
            (CronTrigger.from_crontab(one.cron, timezone=zone), timedelta(seconds=one.duration))
            for one in entries
            if one.cron is not None and one.duration is not None
        ]

    def cover(self, at_seconds: float) -> bool:
        """Return whether a Unix time lies in one of them."""
        if not self._stretches and not self._repeated:
            return False
        at = datetime.fromtimestamp(at_seconds, UTC)
        return any(first <= at < last for first, last in self._stretches) or any(
            _is_due_within(trigger, at, duration) for trigger, duration in self._repeated
        )


def _is_due_within(trigger: CronTrigger, at: datetime, duration: timedelta) -> bool:
    fired = trigger.get_next_fire_time(None, at - duration + timedelta(microseconds=1))
    return fired is not None and fired <= at


def _begin_of(text: str, timezone: str) -> datetime:
    return _moment(text, timezone, timedelta(0))


def _end_of(text: str, timezone: str) -> datetime:
    return _moment(text, timezone, timedelta(days=1))


def _moment(text: str, timezone: str, whole_day: timedelta) -> datetime:
    """Return the time that was written; of a date its midnight, and ``whole_day`` after that."""
    if "T" in text:
        return parse_rfc3339(text)
    zone = UTC if timezone == "UTC" else ZoneInfo(timezone)
    day = datetime.fromisoformat(text) + whole_day
    return day.replace(tzinfo=zone)
