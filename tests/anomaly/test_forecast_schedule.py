"""Forecasts are made while they are configured, and as they are configured."""

from datetime import UTC, datetime

import numpy as np
import pytest

from anomaly.forecast.job import Forecasts
from anomaly.forecast.schedule import ForecastSchedule
from anomaly.forecast.settings import ForecastSettings
from anomaly.jobs import Jobs
from tests.anomaly.series import START_SECONDS, STEP_SECONDS, Recorded, noise
from tests.waiting import wait_until

SAMPLES = 300


class AtTheEnd:
    """A clock that stands at the newest sample."""

    def now(self) -> datetime:
        return datetime.fromtimestamp(START_SECONDS + SAMPLES * STEP_SECONDS, UTC)

    def monotonic_seconds(self) -> float:
        return 0.0


def a_forecast(**changes) -> ForecastSettings:
    return ForecastSettings(
        **{
            "expression": "x", "limit": 100.0, "step": STEP_SECONDS, "history": 2_000.0,
            "horizon": 500.0, "warn_within": 100.0, "every": 0.5, "season": "none", **changes,
        }
    )  # fmt: skip


@pytest.fixture
def schedule():
    failed: list[BaseException] = []
    jobs = Jobs(missed=lambda _name: None, failed=lambda _name, error: failed.append(error))
    reader = Recorded({"/search": noise(SAMPLES + 10)})
    made = Forecasts(lambda _timeout: reader, AtTheEnd())
    jobs.start()
    yield ForecastSchedule(made, jobs, first_seconds=0.0)
    jobs.stop()
    assert failed == []


def configured(schedule: ForecastSchedule) -> dict[str, float]:
    return {one.name: one.settings.limit for one in schedule.newest()}


def test_what_is_wanted_is_made_and_what_is_not_is_gone_at_once(schedule):
    schedule.follow({"a": a_forecast(), "b": a_forecast(limit=50.0)})
    wait_until(lambda: configured(schedule) == {"a": 100.0, "b": 50.0}, what="both forecasts")
    schedule.follow({"b": a_forecast(limit=50.0)})
    assert configured(schedule) == {"b": 50.0}


def test_one_that_is_configured_otherwise_is_made_anew(schedule):
    schedule.follow({"a": a_forecast()})
    wait_until(lambda: configured(schedule) == {"a": 100.0}, what="the forecast")
    schedule.follow({"a": a_forecast(limit=20.0)})
    wait_until(lambda: configured(schedule) == {"a": 20.0}, what="the other forecast")


def test_what_it_says_of_a_calm_series_is_that_nothing_is_near(schedule):
    schedule.follow({"a": a_forecast()})
    (forecast,) = wait_until(schedule.newest, what="the forecast")
    (capacity,) = forecast.capacities
    assert not capacity.warns
    assert set(capacity.seconds_to_limit.values()) == {np.inf}
