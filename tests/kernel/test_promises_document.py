"""docs/promises.md names tests and benchmarks that are there, at least one for each promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8").splitlines()
PROMISES = [
    line.split(" | ") for line in LINES if line.startswith("| ") and line != "| promise | held by |"
]


def test_there_are_promises():
    assert len(PROMISES) > 40


@pytest.mark.parametrize("promise", PROMISES, ids=[one[0].strip("| ") for one in PROMISES])
def test_what_a_promise_is_held_by_exists(promise):
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", promise[1])
    measured = re.findall(r"`benchmarks\.(\w+)`", promise[1])
    assert named or measured
    for file, name in named:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^(def {name}\(|{name} = )", text, re.MULTILINE), f"{file}::{name}"
    for name in measured:
        assert (ROOT / "benchmarks" / f"{name}.py").is_file()
    assert len(named) + len(measured) == promise[1].count("`") // 2, "something else is named"
