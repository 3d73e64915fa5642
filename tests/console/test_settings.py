"""console.yml: the shipped one is the defaults, and mistakes are named."""

import pytest

from dashboards.console.settings import ConsoleSettings
from watchkeeper.check import config_file
from watchkeeper.configuration import load
from watchkeeper.errors import ConfigError


def test_the_shipped_file_states_the_defaults():
    assert load(config_file("console.yml", None), ConsoleSettings) == ConsoleSettings()


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("refresh: 3s\nrefesh: 3s\n", 2, "refesh"),
        ("charts: many\n", 1, "charts"),
        ("\n\nrefresh: 0s\n", 3, "refresh"),
    ],
)
def test_a_mistake_is_named_by_line_and_key(tmp_path, text, line, key):
    file = tmp_path / "console.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, ConsoleSettings)
    [problem] = caught.value.problems
    assert (problem.line, problem.key) == (line, key)
