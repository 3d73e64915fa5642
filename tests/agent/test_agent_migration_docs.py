"""What docs/migration.md says of the agent is so."""

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

import agent
from agent.cli import agent as command
from agent.collectors import COLLECTORS
from agent.settings.whole import AgentSettings
from tests.agent.probes import PROBES
from watchkeeper.catalogue import every_metric
from watchkeeper.configuration import Settings, load

ROOT = Path(agent.__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "migration.md").read_text()
COSTS = (ROOT / "docs" / "agent-costs.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)

REPLACED = (
    "node_exporter", "postgres_exporter", "mysqld_exporter", "redis_exporter", "celery-exporter",
    "blackbox_exporter", "process-exporter", "cAdvisor",
)  # fmt: skip


def keys_of(model):
    """All keys of a settings model and of the models within it."""
    found = set()
    for name, field in model.model_fields.items():
        found.add(name)
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, Settings):
                found |= keys_of(inner)
    return found


def test_every_exporter_that_is_replaced_has_a_chapter():
    assert re.findall(r"^## (.+)$", DOCUMENT, re.MULTILINE) == list(REPLACED)


def test_every_test_it_points_to_is_there():
    named = re.findall(r"`(tests/[\w/]+\.py)`", DOCUMENT)
    assert len(named) >= 6
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_page_it_points_to_is_there():
    for name in re.findall(r"\]\(([\w-]+\.md)\)", DOCUMENT):
        assert (ROOT / "docs" / name).exists()


def test_every_setting_it_names_is_one():
    here = [row.split("|")[2] for row in DOCUMENT.splitlines() if row.startswith("| ")]
    named = {key for cell in here for key in re.findall(r"`(\w+)(?::|`)", cell)}
    assert len(named) >= 10
    assert named - keys_of(AgentSettings) == set()


@pytest.mark.parametrize("example", [text for text in EXAMPLES if "scrape_configs" not in text])
def test_every_example_can_be_used(example, tmp_path, monkeypatch):
    monkeypatch.setenv("POSTGRES_PASSWORD", "pw")
    file = tmp_path / "agent.yml"
    file.write_text(example)
    (key,) = yaml.safe_load(example)
    assert getattr(load(file, AgentSettings), key)


def test_the_options_it_names_are_the_command_s():
    known = {option for parameter in command.params for option in parameter.opts}
    named = set(re.findall(r"watchkeeper agent (--[\w-]+)", DOCUMENT))
    assert named
    assert named <= known


def test_the_metric_it_tells_to_alert_on_is_there():
    assert "watchkeeper_collector_success" in every_metric()


def test_the_cost_of_every_collector_is_told():
    named = re.findall(r"^\| `([\w-]+)` \|", COSTS, re.MULTILINE)
    assert named == [kind for kind in COLLECTORS if kind not in PROBES]
