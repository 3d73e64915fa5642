"""Times are aware and in UTC everywhere."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.clock import ManualClock, format_rfc3339, parse_rfc3339, require_aware


@given(st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(UTC)))  # noqa: DTZ001  # bound only
def test_a_timestamp_survives_the_round_trip_to_the_millisecond(moment):
    back = parse_rfc3339(format_rfc3339(moment))
    assert timedelta(0) <= moment - back < timedelta(milliseconds=1)


def test_nanoseconds_and_offsets_are_read():
    expected = datetime(2026, 1, 1, 10, 0, 0, 123456, UTC)
    assert parse_rfc3339("2026-01-01T10:00:00.123456789Z") == expected
    assert parse_rfc3339("2026-01-01T12:00:00.123456+02:00") == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-01T10:00:00"])
def test_a_time_without_a_zone_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  # any message will do
        parse_rfc3339(text)


def test_aware_times_are_turned_to_utc():
    east = timezone(timedelta(hours=2))
    assert require_aware(datetime(2026, 1, 1, 12, tzinfo=east)).hour == 10


def test_a_manual_clock_moves_only_forward():
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(1.5)
    assert clock.monotonic_seconds() == 1.5
    with pytest.raises(ValueError, match="0 s or more"):
        clock.advance(-1)
