"""What comes at the same time every day or every week is a habit, and news to nobody.

A habit is not learned into the band: the band stays that of the hours around it, and a habit that
grows, lasts longer or comes at another time alerts like anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from anomaly.episodes import Ending, Episode
from anomaly.season import DAY_SECONDS, WEEK_SECONDS

TIMES_BEFORE = 2
"""Once is chance and twice may be; the third time in a row it is a habit."""

MARGIN_SECONDS = 1_800.0
"""A job of the same hour begins within this of the day before, and lasts this much longer."""

LARGER_RATIO = 1.5
"""What goes further than this beyond the times before is more than the habit."""

REMEMBERED_SECONDS = TIMES_BEFORE * WEEK_SECONDS + DAY_SECONDS

_COUNTED = (None, Ending.RECOVERED, Ending.NOT_A_PROBLEM, Ending.MAINTENANCE)


def is_habit(
    episode: Episode, before: Sequence[Episode], *, now_seconds: float, timezone: tzinfo
) -> bool:
    """Return whether an episode has gone no further, so far, than at this time the times before.

    Args:
        before: earlier episodes of the same series.
        now_seconds: Unix time of the newest sample.
        timezone: on whose clocks it is the same time.
    """
    known = [one for one in before if one.ending in _COUNTED and not one.is_open]
    for period in (DAY_SECONDS, WEEK_SECONDS):
        times = [
            _at_that_time(episode, known, times * period, timezone)
            for times in range(1, TIMES_BEFORE + 1)
        ]
        found = [one for one in times if one is not None]
        if len(found) == TIMES_BEFORE:
            return _goes_no_further(episode, found, now_seconds)
    return False


def _at_that_time(
    episode: Episode, known: Sequence[Episode], ago_seconds: float, timezone: tzinfo
) -> Episode | None:
    then = _local(episode.started_seconds, timezone) - ago_seconds
    near = (
        one for one in known if abs(_local(one.started_seconds, timezone) - then) <= MARGIN_SECONDS
    )
    return max(near, key=_length, default=None)


def _goes_no_further(episode: Episode, found: Sequence[Episode], now_seconds: float) -> bool:
    ended = now_seconds if episode.ended_seconds is None else episode.ended_seconds
    longest = max(_length(one) for one in found) + MARGIN_SECONDS
    above = episode.above >= episode.below  # the side it mainly went to; the other is noise
    now = episode.above if above else episode.below
    then = max(one.above if above else one.below for one in found)
    return ended - episode.started_seconds <= longest and now <= LARGER_RATIO * then


def _length(episode: Episode) -> float:
    return (episode.ended_seconds or episode.started_seconds) - episode.started_seconds


def _local(at_seconds: float, timezone: tzinfo) -> float:
    offset = datetime.fromtimestamp(at_seconds, UTC).astimezone(timezone).utcoffset()
    return at_seconds + (offset.total_seconds() if offset else 0.0)
