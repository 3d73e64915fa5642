"""Times known beforehand, by crontab line and by date, through daylight saving."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from anomaly.evaluation import QueryEvaluation
from anomaly.quiet_times import QuietTime, QuietTimes
from tests.anomaly.series import block, noise, query

BACKUP = QuietTime(name="backup", cron="0 6 * * *", duration="30m")
HOLIDAY = QuietTime(name="new year", starts="2026-01-01", ends="2026-01-02")


def at(text: str, zone: str = "Europe/Berlin") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        ("2026-03-28T05:59:59", False),
        ("2026-03-28T06:00", True),
        ("2026-03-28T06:29:59", True),
        ("2026-03-28T06:30", False),
        ("2026-03-29T06:15", True),  # the clocks have changed
    ],
)
def test_a_nightly_job_is_quiet_on_local_clocks(moment, quiet):
    assert QuietTimes((BACKUP,), "Europe/Berlin").cover(at(moment)) is quiet


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [("2025-12-31T23:59", False), ("2026-01-01T00:00", True), ("2026-01-02T23:59", True),
     ("2026-01-03T00:00", False)],
)  # fmt: skip
def test_dates_are_whole_days_with_the_last_included(moment, quiet):
    assert QuietTimes((HOLIDAY,), "Europe/Berlin").cover(at(moment)) is quiet


@pytest.mark.parametrize(
    "entry",
    [
        {"cron": "0 6 * * *"},
        {"cron": "0 6 * *", "duration": "5m"},
        {"starts": "2026-01-02", "ends": "2026-01-01"},
        {"starts": "soon", "ends": "2026-01-01"},
        {"cron": "0 6 * * *", "duration": "5m", "starts": "2026-01-01", "ends": "2026-01-02"},
    ],
)
def test_a_half_said_entry_is_refused(entry):
    with pytest.raises(ValidationError):
        QuietTime(name="x", **entry)


def test_what_happens_in_a_quiet_time_neither_alerts_nor_teaches():
    values = noise(300)
    values[200:220] += 30
    evaluation = QueryEvaluation("q", query())
    evaluation.advance(block({"/search": values}))
    (loud,) = evaluation.episodes()
    window = QuietTime(
        name="batch",
        starts="2025-06-15T15:39:00Z",  # sample 194 to 225
        ends="2025-06-15T15:44:10Z",
    )
    quiet = QueryEvaluation("q", query(calendar=[window]))
    quiet.advance(block({"/search": values}))
    assert loud.started_seconds == 1_750_002_000.0
    assert quiet.episodes() == []
