"""Which time of the day or week a sample belongs to, on the clocks of the people concerned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo

DAY_SECONDS = 86_400.0
WEEK_SECONDS = 7 * DAY_SECONDS
BINS_PER_DAY = 96
"""A quarter of an hour each: fine enough for cron, few enough to learn in days."""


class SeasonKind(StrEnum):
    """What repeats itself.

    ``auto`` is daily, as far as the samples show it: a profile starts at the level and moves from
    it only by what repeats. A week has to be asked for, because it takes weeks to learn.
    """

    NONE = "none"
    DAILY = "daily"
    WEEKLY = "weekly"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Season:
    """A period cut into equal bins of local time.

    Attributes:
        bins: how many; 1 when nothing repeats itself.
        timezone: whose clock the period follows, also through daylight saving.
    """

    period_seconds: float = DAY_SECONDS
    bins: int = BINS_PER_DAY
    timezone: tzinfo = UTC

    @property
    def bin_seconds(self) -> float:
        """Return the length of a bin."""
        return self.period_seconds / self.bins

    def bin_of(self, at_seconds: float) -> int:
        """Return the bin, from 0, that a Unix time falls into."""
        local = at_seconds
        if self.timezone is not UTC:
            offset = datetime.fromtimestamp(at_seconds, self.timezone).utcoffset()
            local += offset.total_seconds() if offset else 0.0
        return int(local % self.period_seconds / self.bin_seconds)


DAILY = Season()
"""Days of UTC."""


def season_of(kind: SeasonKind, timezone: str) -> Season:
    """Return the season of a query; raise ZoneInfoNotFoundError for an unknown timezone."""
    zone = UTC if timezone == "UTC" else ZoneInfo(timezone)
    if kind is SeasonKind.NONE:
        return Season(DAY_SECONDS, 1, zone)
    if kind is SeasonKind.WEEKLY:
        return Season(WEEK_SECONDS, 7 * BINS_PER_DAY, zone)
    return Season(DAY_SECONDS, BINS_PER_DAY, zone)
