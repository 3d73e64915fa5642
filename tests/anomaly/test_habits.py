"""What comes at the same time every day, or every week, is a habit."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from anomaly.episodes import Ending, Episode
from anomaly.habits import is_habit
from tests.anomaly.series import key

DAY = 86_400.0
SIX = 20_000 * DAY + 6 * 3_600.0


def episode(days_ago: float, *, minutes: float = 20, above: float = 10.0, ended: bool = True):
    start = SIX - days_ago * DAY
    return Episode(
        "q",
        key("/x"),
        start,
        start + minutes * 60 if ended else None,
        Ending.RECOVERED if ended else None,
        above=above,
    )


def habit(now: Episode, *before: Episode, minutes: float = 5, timezone=UTC) -> bool:
    at = now.started_seconds + minutes * 60
    return is_habit(now, before, now_seconds=at, timezone=timezone)


def test_the_third_day_in_a_row_it_is_a_habit():
    now = episode(0, ended=False)
    assert habit(now, episode(2), episode(1))
    assert not habit(now, episode(1))


def test_every_week_is_a_habit_too():
    assert habit(episode(0, ended=False), episode(14), episode(7))


@pytest.mark.parametrize(
    "now",
    [
        episode(0, above=15.1, ended=False),
        episode(0.1, ended=False),
        episode(0, minutes=51),
    ],
    ids=["further", "earlier", "longer"],
)
def test_more_than_the_habit_is_news(now):
    assert not habit(now, episode(2), episode(1))


def test_one_that_lasts_longer_than_usual_becomes_news_while_it_does():
    now = episode(0, ended=False)
    assert habit(now, episode(2), episode(1), minutes=49)
    assert not habit(now, episode(2), episode(1), minutes=51)


def test_the_other_side_is_no_habit():
    down = Episode("q", key("/x"), SIX, below=3.0)
    assert not habit(down, episode(2), episode(1))


def test_an_accepted_level_was_no_occurrence():
    accepted = Episode("q", key("/x"), SIX - DAY, SIX, Ending.ACCEPTED, above=10.0)
    assert not habit(episode(0, ended=False), episode(2), accepted)


def test_the_same_time_is_that_of_the_clock_on_the_wall():
    berlin = ZoneInfo("Europe/Berlin")
    change = 1_774_746_000.0  # 2026-03-29T01:00Z, when the clocks go forward
    six = [change + hours * 3_600.0 for hours in (-44, -20, 3)]
    first, second, third = (
        Episode("q", key("/x"), at, at + 1_200 if at < change else None,
                Ending.RECOVERED if at < change else None, above=10.0)
        for at in six
    )  # fmt: skip
    assert habit(third, first, second, timezone=berlin)
    assert not habit(third, first, second)
