"""Every preset finds what it is for, on history that is made, and is quiet on the rest of it."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from anomaly.backtest.cli import backtest
from anomaly.backtest.made_history import (
    BEGIN_SECONDS,
    LEARNED_SECONDS,
    SERIES,
    made_history,
    made_series,
)
from anomaly.calibration import FALSE_ALARMS_PER_WEEK
from anomaly.presets import PRESETS, histories_of, queries_of
from anomaly.settings import AnomalySettings, QuerySettings
from watchkeeper.check import config_file
from watchkeeper.configuration import load

DAYS = 0.5
LEAST_RECALL = 0.8
"""One of six faults may be missed within a day of installing."""


@pytest.fixture(scope="module")
def shipped() -> dict[str, QuerySettings]:
    return load(config_file("anomaly.yml", None), AnomalySettings).queries


@pytest.mark.parametrize("preset", PRESETS)
def test_every_query_of_a_preset_has_a_history_and_nothing_else_has(preset):
    assert set(histories_of(preset)) == set(queries_of(preset))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_finds_its_faults_and_keeps_to_its_alarm_rate(preset):
    run = CliRunner().invoke(
        backtest, ["--preset", preset, "--days", str(DAYS), "--json"], catch_exceptions=False
    )
    found = {one["name"]: one for one in json.loads(run.stdout)["queries"]}
    assert set(found) == set(queries_of(preset))
    assert {one["events"] for one in found.values()} == {SERIES // 2}
    assert {
        name: one["missed"] for name, one in found.items() if one["recall"] < LEAST_RECALL
    } == {}
    # Most queries may have one in weeks, and this is less than one series-week of each.
    series_weeks = SERIES * DAYS / 7
    false = [one["false_alarms_a_series_week"] * series_weeks for one in found.values()]
    allowed = [FALSE_ALARMS_PER_WEEK[one["sensitivity"]] * series_weeks for one in found.values()]
    assert sum(false) <= sum(allowed)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--inject", "3"], "--inject has no say"),
        (["--prometheus", "http://127.0.0.1:9"], "--prometheus has no say"),
        (["--days", "0.1"], "at least 0.5"),
    ],
)
def test_what_made_history_cannot_heed_is_refused(given, said):
    run = CliRunner().invoke(backtest, ["--preset", "host", *given])
    assert run.exit_code == 2
    assert said in run.output


def test_a_preset_that_the_configuration_does_not_ask_for_is_refused(tmp_path):
    config = tmp_path / "anomaly.yml"
    config.write_text("presets: [host]\n")
    run = CliRunner().invoke(backtest, ["--preset", "redis", "--config", str(config)])
    assert run.exit_code == 2
    assert "none of ['redis'] is asked for" in run.output


def test_the_same_seed_makes_the_same_history_and_another_one_another(shipped):
    like, settings = made_series()["cpu"], shipped["cpu"]
    first, faults = made_history("cpu", settings, like, days=DAYS, seed=1)
    again, same_faults = made_history("cpu", settings, like, days=DAYS, seed=1)
    other, _ = made_history("cpu", settings, like, days=DAYS, seed=2)
    np.testing.assert_array_equal(first.values, again.values)
    assert faults == same_faults
    assert not np.array_equal(first.values, other.values)


@pytest.mark.parametrize("days", [0.5, 1.0, 3.0])
def test_faults_lie_in_what_is_judged_and_in_every_second_series(shipped, days):
    like, settings = made_series()["process-memory"], shipped["process-memory"]
    samples, faults = made_history("process-memory", settings, like, days=days, seed=1)
    assert len(faults) == SERIES // 2 * max(1, int(days))
    assert {fault.labels for fault in faults} == set(samples.keys[::2])
    begin = BEGIN_SECONDS + LEARNED_SECONDS
    assert all(begin < one.starts_seconds < one.ends_seconds < samples.times_seconds[-1]
               for one in faults)  # fmt: skip


def test_a_fault_goes_all_the_way_and_is_over_afterwards(shipped):
    like, settings = made_series()["request-rate"], shipped["request-rate"]
    samples, faults = made_history("request-rate", settings, like, days=DAYS, seed=1)
    fault, times = faults[0], np.asarray(samples.times_seconds)
    row = samples.values[samples.keys.index(fault.labels)]
    there = (times >= fault.starts_seconds + like.fault.takes) & (times <= fault.ends_seconds)
    assert abs(np.median(row[there]) - like.fault.value) < like.noise
    assert np.median(row[~there]) > like.level / 2
