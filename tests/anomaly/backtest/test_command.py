"""The command: a file in, a table, JSON or a page out."""

import json
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from anomaly.backtest.cli import backtest
from tests.anomaly.series import START_SECONDS, noise
from tests.anomaly.servers import blocks_holding
from watchkeeper.errors import ConfigError


@pytest.fixture
def history(tmp_path):
    """Return a CSV of two series, one of which is higher for a while, and the label of that."""
    search, other = noise(400), noise(400, seed=2)
    search[300:330] += 30
    lines = [f"{START_SECONDS + 10 * at:.0f},{search[at]},{other[at]}" for at in range(400)]
    samples, labels = tmp_path / "samples.csv", tmp_path / "events.csv"
    samples.write_text("\n".join(["timestamp,</search>,other", *lines]))
    labels.write_text(f"start,end\n{START_SECONDS + 3_000:.0f},{START_SECONDS + 3_290:.0f}\n")
    return samples, labels


def run(*arguments: object):
    found = CliRunner().invoke(backtest, [str(one) for one in arguments], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found


def test_a_labelled_incident_is_found_and_told_as_json(history):
    samples, labels = history
    found = json.loads(run("--csv", samples, "--labels", labels, "--json").stdout)
    assert (found["overall"]["recall"], found["overall"]["precision"]) == (1.0, 1.0)
    assert found["overall"]["delay_seconds_p50"] == 20.0
    (alarm,) = found["queries"][0]["alarm_list"]
    assert alarm["labels"] == {"series": "</search>"}
    assert alarm["true"] is True
    assert found["queries"][0]["missed"] == []


def test_the_table_is_for_people_and_progress_goes_elsewhere(history):
    found = run("--csv", history[0], "--inject", 1)
    head, row = found.stdout.splitlines()
    assert head.split()[:4] == ["query", "series", "alarms", "a"]
    assert row.startswith("samples")
    assert "judging samples: 100%" in found.stderr


class Tags(HTMLParser):
    """Counts tags and notes what a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.count: dict[str, int] = {}
        self.loaded: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1
        self.loaded += [value for name, value in attrs if name in ("src", "href")]


def test_the_page_needs_nothing_else_and_draws_every_series(history, tmp_path):
    page = tmp_path / "report.html"
    run("--csv", history[0], "--labels", history[1], "--html", page)
    text = page.read_text()
    tags = Tags()
    tags.feed(text)
    assert tags.count["svg"] == 2
    assert tags.count["rect"] >= 3  # the alarm, and the event on both series
    assert tags.loaded == []
    assert "</search>" not in text
    assert "&lt;/search&gt;" in text


def test_a_query_there_is_not_is_refused_with_those_there_are():
    found = CliRunner().invoke(backtest, ["--query", "nothing"])
    assert found.exit_code == 2
    assert "response-time" in found.output


@pytest.mark.live
def test_a_data_directory_is_judged_without_its_prometheus_and_left_as_it_is(tmp_path):
    values = noise(400)
    values[300:330] += 30
    points = [(START_SECONDS + 10 * at, float(value)) for at, value in enumerate(values)]
    data = blocks_holding(tmp_path, {'latency{service="taskboard"}': points})
    before = contents(data)
    config = tmp_path / "anomaly.yml"
    config.write_text(
        "queries: {latency: {expression: latency, step: 10s, cadence: 10s,"
        " history: 2000s, minimum_history: 200s}}"
    )
    span = ("--from", START_SECONDS + 2_000, "--until", START_SECONDS + 3_990)
    found = json.loads(run("--blocks", data, "--config", config, *span, "--json").stdout)
    (alarm,) = found["queries"][0]["alarm_list"]
    assert alarm["labels"] == {"service": "taskboard"}
    assert contents(data) == before


@pytest.mark.live
def test_a_directory_without_history_is_refused_with_a_reason(tmp_path):
    with pytest.raises(ConfigError, match="neither blocks nor a write-ahead log"):
        run("--blocks", tmp_path)


def contents(directory):
    files = (one for one in directory.rglob("*") if one.is_file())
    return {one.relative_to(directory): one.read_bytes() for one in files}
