"""docs/fault-cases.md names tests and benchmarks that are there, at least one for each fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "docs" / "fault-cases.md").read_text(encoding="utf-8").splitlines()
CASES = [line.split(" | ") for line in LINES if line.startswith("| ")][1:]


@pytest.mark.parametrize("case", CASES, ids=[case[0].strip("| ") for case in CASES])
def test_what_a_fault_is_held_by_exists(case):
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", case[2])
    assert named
    for file, name in named:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^(def {name}\(|{name} = )", text, re.MULTILINE), f"{file}::{name}"
    for name in re.findall(r"`benchmarks\.(\w+)`", case[2]):
        assert (ROOT / "benchmarks" / f"{name}.py").is_file()


def test_no_fault_of_the_faults_file_is_left_out():
    text = (ROOT / "tests" / "alerting" / "test_faults.py").read_text(encoding="utf-8")
    page = "\n".join(LINES)
    for name in re.findall(r"^def (test_\w+)\(", text, re.MULTILINE):
        assert f"test_faults.py::{name}`" in page
