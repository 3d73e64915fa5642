"""docs/actions.md tells of every action, and says only what is so."""

import re
from pathlib import Path

import pytest
import yaml

from remediation.actuators import ACTUATORS, Temporary, make
from remediation.settings import Actions

DOCUMENT = (Path(__file__).parents[2] / "docs" / "actions.md").read_text()

ROWS = {
    cells[0].strip().strip("`"): [cell.strip() for cell in cells[1:]]
    for line in re.findall(r"^\| (`.*) \|$", DOCUMENT, flags=re.MULTILINE)
    if len(cells := line.split("|")) == 4
}

EXAMPLES = {
    action: next(iter(targets.items()))
    for block in re.findall(r"```yaml\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    for action, targets in yaml.safe_load(block)["actions"].items()
}


NEEDED = {"run-command": {"days": "7"}, "set-server": {"state": "drain"}}
"""Parameters an example cannot do without."""


@pytest.fixture(autouse=True)
def _secrets(monkeypatch):
    monkeypatch.setenv("SHOP_CONTROL_TOKEN", "a token that nobody could guess")


def made(action):
    name, target = EXAMPLES[action]
    settings = Actions.model_validate({action: {name: target}})
    return make(action, name, settings.targets_of(action)[name], NEEDED.get(action, {}))


def test_every_action_has_its_row_and_no_other_has():
    assert list(ROWS) == list(ACTUATORS)


def test_every_action_has_its_key_in_endpoint_yml():
    keys = {field.alias for field in Actions.model_fields.values()}
    assert keys == set(ACTUATORS)


@pytest.mark.parametrize("action", ACTUATORS)
def test_the_example_of_each_action_is_one_it_takes(action):
    assert made(action)


@pytest.mark.parametrize("action", ACTUATORS)
def test_what_is_said_to_be_put_back_can_be(action):
    assert isinstance(made(action), Temporary) == (ROWS[action][-1] != "no")
