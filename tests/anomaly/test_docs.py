"""docs/anomaly.md says what there is, and no more."""

import re
from pathlib import Path

import pytest
import yaml

from anomaly.backtest.cli import backtest
from anomaly.detectors import DETECTORS
from anomaly.feedback import Kind
from anomaly.forecast import FORECASTERS
from anomaly.forecast.settings import ForecastSettings
from anomaly.presets import PRESETS
from anomaly.season import SeasonKind
from anomaly.settings import AnomalySettings, QuerySettings, Sensitivity
from watchkeeper.configuration import load

PAGE = (Path(__file__).parents[2] / "docs" / "anomaly.md").read_text()


def first_cells(heading: str) -> set[str]:
    """Return the names in the first column of the table under a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for cell in rows for name in re.findall(r"`([^`]+)`", cell)}


def test_every_key_of_a_query_is_in_the_table_and_nothing_else():
    assert first_cells("Queries and presets") | {"expression"} == set(QuerySettings.model_fields)


def test_every_key_of_a_forecast_is_in_its_table_and_nothing_else():
    assert first_cells("Forecasts") == set(ForecastSettings.model_fields)


def test_every_forecaster_is_named():
    assert all(f"`{name}`" in PAGE for name in FORECASTERS)


def test_every_preset_has_its_backtest_in_the_table():
    assert first_cells("Backtest") == set(PRESETS)


def test_every_detector_is_in_the_table_and_nothing_else():
    assert first_cells("Detectors") == set(DETECTORS)


def test_every_kind_of_feedback_is_told():
    assert first_cells("Saying what is so") == {str(kind) for kind in Kind}


@pytest.mark.parametrize("names", [PRESETS, [*Sensitivity], [*SeasonKind]])
def test_every_choice_is_named(names):
    assert all(f"`{name}`" in PAGE for name in names)


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_the_examples_are_valid(block, tmp_path, monkeypatch):
    monkeypatch.setenv("ANOMALY_DATABASE_URL", "postgresql+psycopg://localhost/x")
    path = tmp_path / "anomaly.yml"
    path.write_text(block)
    brought = {"queries", "forecasts"}
    assert load(path, AnomalySettings).model_fields_set == set(yaml.safe_load(block)) | brought


def test_the_options_in_the_examples_are_options():
    known = {name for option in backtest.params for name in option.opts}
    used = {word for line in PAGE.splitlines() if line.startswith("watchkeeper backtest")
            for word in line.split("#")[0].split() if word.startswith("--")}  # fmt: skip
    assert used
    assert used <= known
