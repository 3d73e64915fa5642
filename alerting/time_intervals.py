"""Times of the week and year in Alertmanager's vocabulary, such as "weekdays from 9 to 17"."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

from watchkeeper.configuration import Settings

_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = tuple(calendar.month_name[number].lower() for number in range(1, 13))
_CLOCK = re.compile(r"(?P<hour>\d\d):(?P<minute>\d\d)")

Range = tuple[int, int]
"""First and last, both included."""


def _parse_clock(value: object) -> object:
    """Turn ``17:30`` into minutes since midnight; ``24:00`` is the end of the day."""
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"expected a time such as '09:30' in quotes, got {value!r}")
    minutes = int(found["hour"]) * 60 + int(found["minute"])
    if int(found["minute"]) > 59 or minutes > 24 * 60:
        raise ValueError(f"expected a time from 00:00 to 24:00, got {value!r}")
    return minutes


def _ranges(names: Sequence[str], first: int, last: int, *, negative: bool = False) -> Any:
    """Return a parser of ``a`` or ``a:b``, where each is one of ``names`` or a number."""

    def number(text: str) -> int:
        if text.lower() in names:
            return names.index(text.lower()) + (1 if first == 1 else 0)
        try:
            found = int(text)
        except ValueError:
            raise ValueError(
                f"expected one of {', '.join(names) or 'numbers'}, got {text!r}"
            ) from None
        allowed = first <= found <= last or (negative and -last <= found <= -1)
        if not allowed:
            raise ValueError(f"expected a number from {first} to {last}, got {found}")
        return found

    def parse(value: object) -> Range:
        start, colon, end = str(value).partition(":")
        found = (number(start), number(end) if colon else number(start))
        if found[0] > found[1] and (found[0] > 0) == (found[1] > 0):
            raise ValueError(f"{value!r} ends before it begins")
        return found

    return BeforeValidator(parse)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is no time zone; expected one such as Europe/Berlin") from None
    return name


Minutes = Annotated[int, BeforeValidator(_parse_clock)]
Weekdays = Annotated[Range, _ranges(_WEEKDAYS, 0, 6)]
DaysOfMonth = Annotated[Range, _ranges((), 1, 31, negative=True)]
Months = Annotated[Range, _ranges(_MONTHS, 1, 12)]
Years = Annotated[Range, _ranges((), 1970, 9999)]


class ClockRange(Settings):
    """From a time of day to another, the end not included."""

    start_time: Minutes
    end_time: Minutes


class TimeInterval(Settings):
    """All that is given must hold; of each list one range."""

    times: tuple[ClockRange, ...] = ()
    weekdays: tuple[Weekdays, ...] = ()
    days_of_month: tuple[DaysOfMonth, ...] = ()
    months: tuple[Months, ...] = ()
    years: tuple[Years, ...] = ()
    location: Annotated[str, AfterValidator(_zone)] = "UTC"

    def contains(self, moment: datetime) -> bool:
        """Return whether ``moment`` lies within."""
        local = moment.astimezone(ZoneInfo(self.location))
        minutes = local.hour * 60 + local.minute
        return (
            _in_clock(minutes, self.times)
            and _within(local.isoweekday() % 7, self.weekdays)
            and _in_month(local, self.days_of_month)
            and _within(local.month, self.months)
            and _within(local.year, self.years)
        )


class NamedInterval(Settings):
    """Several intervals under one name; any of them will do."""

    name: str
    time_intervals: tuple[TimeInterval, ...] = Field(min_length=1)

    def contains(self, moment: datetime) -> bool:
        """Return whether ``moment`` lies within one of them."""
        return any(interval.contains(moment) for interval in self.time_intervals)


def _in_clock(minutes: int, ranges: Sequence[ClockRange]) -> bool:
    return not ranges or any(found.start_time <= minutes < found.end_time for found in ranges)


def _within(value: int, ranges: Sequence[Range]) -> bool:
    return not ranges or any(first <= value <= last for first, last in ranges)


def _in_month(local: datetime, ranges: Sequence[Range]) -> bool:
    """Negative days count from the end of the month: -1 is its last day."""
    days = calendar.monthrange(local.year, local.month)[1]

    def day(number: int) -> int:
        return number if number > 0 else days + 1 + number

    return not ranges or any(day(first) <= local.day <= day(last) for first, last in ranges)
