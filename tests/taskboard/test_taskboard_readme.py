"""The taskboard's README names what there is, and nothing else."""

import re
from pathlib import Path

import pytest

from taskboard.cli import root
from taskboard.settings import read_settings
from tests.taskboard.conftest import call

PROJECT = Path(__file__).parents[2] / "examples" / "taskboard"
README = (PROJECT / "README.md").read_text()


def test_every_command_is_described():
    described = re.findall(r"^\| `python -m taskboard (\w+)", README, flags=re.MULTILINE)
    assert sorted(described) == sorted(root.commands)


def test_every_variable_is_described():
    asked = set()

    class Recording(dict):
        def get(self, key, default=None):
            asked.add(key)
            return default

    read_settings(Recording())
    described = re.findall(r"^\| `(TASKBOARD_\w+)`", README, flags=re.MULTILINE)
    assert sorted(described) == sorted(asked)


@pytest.mark.live
def test_every_fault_is_described(taskboard):
    _, answer = call("GET", taskboard.url("alpha", "/faults"))
    described = re.findall(r"^\| `([a-z-]+)` \|", README, flags=re.MULTILINE)
    assert described == [fault["name"] for fault in answer["faults"]]


@pytest.mark.live
def test_every_route_is_described(taskboard):
    described = re.findall(r"^\| `(GET|POST) (/[^`?]*)", README, flags=re.MULTILINE)
    assert described
    for method, path in described:
        status, _ = call(
            method,
            taskboard.url("alpha", path.replace("ID", "0" * 8 + "-0000" * 3 + "-" + "0" * 12)),
        )
        # Known routes complain of what was sent or of the unknown task, never of the route.
        assert status in {200, 400, 404}, path
        if status == 404:
            assert "ID" in path
