"""The time of the day or week, on the clocks of the people concerned."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.season import BINS_PER_DAY, SeasonKind, season_of

BERLIN = ZoneInfo("Europe/Berlin")
DAY_SECONDS = 86_400.0


def berlin(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def test_six_in_the_morning_is_six_in_the_morning_before_and_after_the_clocks_change():
    season = season_of(SeasonKind.DAILY, "Europe/Berlin")
    winter, summer = berlin("2026-03-28T06:00"), berlin("2026-03-29T06:00")
    assert summer - winter == timedelta(hours=23).total_seconds()
    assert season.bin_of(winter) == season.bin_of(summer) == 6 * 4


def test_a_week_knows_monday_from_sunday_and_a_day_does_not():
    sunday, monday = berlin("2026-05-03T09:00"), berlin("2026-05-04T09:00")
    weekly = season_of(SeasonKind.WEEKLY, "Europe/Berlin")
    daily = season_of(SeasonKind.DAILY, "Europe/Berlin")
    assert weekly.bin_of(sunday) != weekly.bin_of(monday)
    assert weekly.bin_of(sunday) == weekly.bin_of(sunday + 7 * DAY_SECONDS)
    assert daily.bin_of(sunday) == daily.bin_of(monday)


@pytest.mark.parametrize(
    ("kind", "bins"),
    [
        (SeasonKind.NONE, 1),
        (SeasonKind.DAILY, BINS_PER_DAY),
        (SeasonKind.AUTO, BINS_PER_DAY),
        (SeasonKind.WEEKLY, 7 * BINS_PER_DAY),
    ],
)
def test_a_period_is_cut_into_quarters_of_an_hour(kind, bins):
    assert season_of(kind, "UTC").bins == bins


@given(
    st.floats(0, 4e9), st.sampled_from(list(SeasonKind)), st.sampled_from(["UTC", "Asia/Kolkata"])
)
def test_every_time_has_a_bin(at_seconds, kind, timezone):
    season = season_of(kind, timezone)
    assert 0 <= season.bin_of(at_seconds) < season.bins
