"""What anomaly.yml may say, and what it is told when it says something else."""

from pathlib import Path

import pytest

from anomaly.detectors import EXTRAS
from anomaly.presets import forecasts_of
from anomaly.settings import AnomalySettings, Sensitivity
from watchkeeper.configuration import load
from watchkeeper.errors import ConfigError

ROOT = Path(__file__).parents[2]


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "anomaly.yml"
    path.write_text(text)
    return path


def problem_of(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path, AnomalySettings)
    return str(caught.value)


@pytest.mark.parametrize("file", ["anomaly/anomaly.yml", "examples/taskboard/config/anomaly.yml"])
def test_the_files_we_ship_watch_what_the_requirements_name(file):
    queries = load(ROOT / file, AnomalySettings).queries
    wanted = {
        "response-time": Sensitivity.HIGH,
        "error-rate": Sensitivity.VERY_HIGH,
        "memory": Sensitivity.MEDIUM,
        "cpu": Sensitivity.MEDIUM,
        "task-creation": Sensitivity.LOW,
    }
    assert {name: queries[name].sensitivity for name in wanted} == wanted


def test_the_shipped_default_learns_a_day_and_looks_every_minute():
    queries = load(ROOT / "anomaly/anomaly.yml", AnomalySettings).queries
    assert {(query.history, query.cadence) for query in queries.values()} == {(86_400.0, 60.0)}


def test_a_query_of_ones_own_is_judged_as_the_shipped_ones_are(tmp_path):
    own = load(write(tmp_path, "queries:\n  one: {expression: up}\n"), AnomalySettings)
    shipped = load(ROOT / "anomaly/anomaly.yml", AnomalySettings)
    policy = {name: getattr(own.queries["one"], name) for name in shipped.defaults}
    as_shipped = AnomalySettings(defaults=shipped.defaults, queries={"one": {"expression": "up"}})
    said = {name: getattr(as_shipped.queries["one"], name) for name in shipped.defaults}
    assert {**policy, "runbook": said["runbook"]} == said


@pytest.mark.parametrize(
    "text",
    ["", "# nothing yet\n", "queries:\n", "defaults: {step: 30s}\n"],
)
def test_a_file_that_would_judge_nothing_is_refused_with_what_it_may_say(tmp_path, text):
    problem = problem_of(write(tmp_path, text))
    assert "nothing to judge: expected presets" in problem
    assert "`queries: {}`" in problem


@pytest.mark.parametrize("text", ["queries: {}\n", "presets: []\n", "presets: []\nqueries: {}\n"])
def test_a_file_may_say_that_nothing_is_to_be_judged(tmp_path, text):
    settings = load(write(tmp_path, text), AnomalySettings)
    assert (settings.queries, settings.forecasts) == ({}, {})


def test_a_file_may_ask_for_forecasts_alone(tmp_path):
    text = "forecasts:\n  full: {expression: used, limit: 1}\n"
    settings = load(write(tmp_path, text), AnomalySettings)
    assert (set(settings.queries), set(settings.forecasts)) == (set(), {"full"})


def test_a_default_stands_in_every_query_that_does_not_say_otherwise(tmp_path):
    path = write(
        tmp_path,
        """
defaults: {step: 5s, cadence: 10s}
queries:
  one: {expression: up}
  two: {expression: up, step: 10s}
""",
    )
    queries = load(path, AnomalySettings).queries
    assert (queries["one"].step, queries["two"].step) == (5.0, 10.0)


@pytest.mark.parametrize(
    ("line", "expectation"),
    [
        ("detector: oracle", "unknown detector 'oracle'; expected one of"),
        ("envelope: isolation-forest", "gives no band"),
        ("sensitivity: extreme", "'very-high', 'high', 'medium' or 'low'"),
        ("persistence: {anomalous: 6, of: 5}", "expected anomalous (6) to be at most of (5)"),
        ("history: 5m", "expected minimum_history to be at most history"),
        ("step: 5m", "expected cadence to be at least step"),
        ("valid_range: {minimum: 2, maximum: 1}", "expected minimum to be at most maximum"),
        ("cadense: 5s", "unknown key"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_was_expected(tmp_path, line, expectation):
    path = write(tmp_path, f"queries:\n  one:\n    expression: up\n    {line}\n")
    problem = problem_of(path)
    assert expectation in problem
    assert problem.startswith((f"{path}:4: ", f"{path}:2: "))


def test_a_query_is_named_in_words_fit_for_a_label(tmp_path):
    path = write(tmp_path, "queries:\n  Response Time: {expression: up}\n")
    assert "expected words such as response-time" in problem_of(path)


def test_a_detector_whose_extra_is_missing_is_told_with_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(EXTRAS, "ewma", ("deep", "a_module_nobody_has"))
    text = "queries:\n  cpu: {expression: x, detector: ewma}\n"
    assert "pip install 'watchkeeper-stack[deep]'" in problem_of(write(tmp_path, text))


def test_forecasts_come_with_presets_and_can_be_changed_key_by_key(tmp_path):
    text = "presets: [host]\nforecasts:\n  filesystem-full: {warn_within: 2d}\n"
    found = load(write(tmp_path, text), AnomalySettings).forecasts
    assert set(found) == set(forecasts_of("host"))
    assert found["filesystem-full"].warn_within == 2 * 86_400
    assert found["filesystem-full"].limit == forecasts_of("host")["filesystem-full"]["limit"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("{warn_within: 4d}", "warn_within to be at most horizon"),
        ("{horizon: 8d}", "horizon to be at most history"),
        ("{horizon: 30d, history: 60d}", "horizon to be less than 30 d"),
        ("{step: 4d}", "step to be at most horizon"),
    ],
)
def test_a_forecast_that_cannot_be_made_is_refused(tmp_path, wrong, said):
    text = f"presets: [host]\nforecasts:\n  filesystem-full: {wrong}\n"
    assert said in problem_of(write(tmp_path, text))
