"""The presets: right by themselves, about metrics there are, and only a beginning."""

import re
from pathlib import Path

import pytest

from anomaly.presets import PRESETS, forecasts_of, queries_of
from anomaly.settings import AnomalySettings
from tests.anomaly.servers import prometheus_holding
from watchkeeper.catalogue import every_metric
from watchkeeper.configuration import load
from watchkeeper.errors import ConfigError

FOLDER = Path(__file__).parents[2] / "anomaly" / "presets"
METRIC = re.compile(r"\b(?:node|pg|redis|task|http|process|python)_[a-zA-Z0-9_]+(?=[\[{\s)/*]|$)")
LABELS = {"http_route", "http_response_status_code"}
SUFFIX = re.compile(r"_(?:bucket|sum|count)$")


def settings(tmp_path, text: str) -> AnomalySettings:
    path = tmp_path / "anomaly.yml"
    path.write_text(text)
    return load(path, AnomalySettings)


def test_every_file_of_the_folder_can_be_asked_for():
    assert {path.stem for path in FOLDER.glob("*.yml")} == set(PRESETS)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_asks_for_metrics_there_are(preset):
    known = set(every_metric())
    for name, query in (queries_of(preset) | forecasts_of(preset)).items():
        asked = set(METRIC.findall(query["expression"])) - LABELS
        assert asked, name
        assert {SUFFIX.sub("", one) if one not in known else one for one in asked} <= known, name


@pytest.mark.live
def test_prometheus_understands_every_query_and_those_without_data_are_empty(tmp_path):
    with prometheus_holding(tmp_path, {"latency": [(1_700_000_000.0, 1.0)]}) as client:
        for preset in PRESETS:
            for query in (queries_of(preset) | forecasts_of(preset)).values():
                assert client.query(query["expression"]) == []


def test_every_file_of_forecasts_belongs_to_a_preset():
    assert {path.stem for path in (FOLDER / "forecasts").glob("*.yml")} <= set(PRESETS)


def test_no_two_presets_name_a_query_alike():
    names = [name for one in PRESETS for name in (*queries_of(one), *forecasts_of(one))]
    assert len(names) == len(set(names))


def test_a_query_of_ones_own_changes_what_it_says_and_keeps_the_rest(tmp_path):
    text = "presets: [host]\ndefaults: {step: 30s}\nqueries:\n  cpu: {sensitivity: low}\n"
    queries = settings(tmp_path, text).queries
    assert set(queries) == set(queries_of("host"))
    assert queries["cpu"].sensitivity == "low"
    assert queries["cpu"].expression == queries_of("host")["cpu"]["expression"]
    assert queries["memory"].step == 30.0


def test_an_unknown_preset_is_told_with_those_there_are(tmp_path):
    with pytest.raises(ConfigError, match="unknown preset 'mainframe'; expected one of"):
        settings(tmp_path, "presets: [mainframe]\n")
