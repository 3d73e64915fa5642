from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from alerting.time_intervals import TimeInterval


def within(interval: dict[str, object], moment: str) -> bool:
    return TimeInterval.model_validate(interval).contains(
        datetime.fromisoformat(moment).replace(tzinfo=UTC)
    )


OFFICE = {"weekdays": ["monday:friday"], "times": [{"start_time": "09:00", "end_time": "17:00"}]}


@pytest.mark.parametrize(
    ("interval", "moment", "expected"),
    [
        (OFFICE, "2026-01-05T09:00", True),
        (OFFICE, "2026-01-05T16:59", True),
        (OFFICE, "2026-01-05T17:00", False),
        (OFFICE, "2026-01-04T12:00", False),
        ({}, "2026-01-04T12:00", True),
        ({"weekdays": ["sunday"]}, "2026-01-04T12:00", True),
        ({"days_of_month": [-1]}, "2026-02-28T12:00", True),
        ({"days_of_month": ["-3:-1"]}, "2026-02-25T12:00", False),
        ({"days_of_month": ["1:7"], "months": ["january:march"]}, "2026-02-07T12:00", True),
        ({"months": [12]}, "2026-11-30T12:00", False),
        ({"years": ["2026:2027"]}, "2027-01-01T00:00", True),
        ({"times": [{"start_time": "23:00", "end_time": "24:00"}]}, "2026-01-05T23:59", True),
        ({**OFFICE, "location": "Europe/Berlin"}, "2026-01-05T08:00", True),
        ({**OFFICE, "location": "Europe/Berlin"}, "2026-01-05T16:00", False),
    ],
)
def test_it_means_what_alertmanager_means(interval, moment, expected):
    assert within(interval, moment) is expected


@pytest.mark.parametrize(
    "interval",
    [
        {"weekdays": ["someday"]},
        {"weekdays": ["friday:monday"]},
        {"times": [{"start_time": "9:00", "end_time": "17:00"}]},
        {"times": [{"start_time": "09:00", "end_time": "24:01"}]},
        {"days_of_month": [0]},
        {"days_of_month": [-32]},
        {"months": ["13"]},
        {"location": "Mars/Olympus"},
    ],
)
def test_what_is_no_time_is_refused(interval):
    with pytest.raises(ValidationError):
        TimeInterval.model_validate(interval)
