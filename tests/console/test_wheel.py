"""What an installation has of the console: everything it serves, without a checkout beside it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", target]
    subprocess.run([*command, str(PROJECT)], check=True, timeout=120)
    [found] = target.glob("*.whl")
    return found


def test_the_wheel_holds_every_runbook_and_every_file_the_pages_load(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    runbooks = {f"dashboards/runbooks/{p.name}" for p in (PROJECT / "docs/runbooks").glob("*.md")}
    folders = ("console/static", "console/templates", "report/templates")
    loaded = {
        str(path.relative_to(PROJECT))
        for folder in folders
        for path in (PROJECT / "dashboards" / folder).rglob("*")
        if path.is_file()
    }
    assert runbooks
    assert runbooks | loaded <= held


def test_an_unpacked_wheel_finds_its_runbooks(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = "from dashboards.console import runbook; assert runbook.find('HighErrorRate')"
    subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)},
        check=True, timeout=60,
    )  # fmt: skip
