"""What benchmarks give to programs, beside what they show to people."""

import argparse
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from benchmarks.figures import Results, add_json_argument, json_option


@pytest.fixture
def results():
    results = Results("Tea")
    results.at_most("steep_seconds", [180.0, 200.0, 190.0], 240)
    return results


@click.command()
@json_option
def benchmark(json_path):
    results = Results("Tea")
    results.plain("cups", [3.0])
    results.show()
    results.write(json_path)


def test_without_a_file_the_figures_alone_go_to_standard_output():
    done = CliRunner().invoke(benchmark, ["--json"])
    assert json.loads(done.stdout) == {"cups": 3.0}
    assert "Tea" in done.stderr


def test_figures_go_to_a_file_that_is_named(tmp_path):
    assert CliRunner().invoke(benchmark, ["--json", str(tmp_path / "tea.json")]).stdout == ""
    assert json.loads((tmp_path / "tea.json").read_text()) == {"cups": 3.0}


@pytest.mark.parametrize(
    ("words", "path"), [([], None), (["--json"], Path("-")), (["--json", "f"], Path("f"))]
)
def test_a_parser_takes_the_same(words, path):
    parser = argparse.ArgumentParser()
    add_json_argument(parser)
    assert parser.parse_args(words).json == path


def test_the_median_is_quoted_and_every_run_has_to_meet_the_bar(results, capsys):
    results.write(Path("-"))
    assert json.loads(capsys.readouterr().out) == {"steep_seconds": 190.0}
    assert results.met
    results.at_least("steep_seconds", [180.0, 200.0], 190)
    assert not results.met
