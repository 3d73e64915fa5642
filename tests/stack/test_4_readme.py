"""Every command the README tells a user to type works, and everything it points at exists."""

import os
import re
import shlex
import subprocess

import pytest

from tests.stack.conftest import PROJECT, clean_environment

pytestmark = pytest.mark.live

README = (PROJECT / "README.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    for line in block.splitlines()
    if line and not line.startswith("#")
]
RUN_ELSEWHERE = {"make up", "make demo", "make gameday", "make test"}
"""Started by the fixtures and tests of this folder; the last one is what runs us."""


def test_the_two_commands_are_there():
    assert {"make up", "make test"} <= set(COMMANDS)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in RUN_ELSEWHERE])
def test_a_command_works_as_written(demo, command):
    done = subprocess.run(
        shlex.split(command),
        cwd=PROJECT,
        env={
            **clean_environment(),
            "PATH": f"{PROJECT / '.venv' / 'bin'}:{os.environ['PATH']}",
            "WATCHKEEPER_DATA_DIR": str(demo.data_dir),
            "WATCHKEEPER_ALERTING_URL": demo.url("alerting"),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?://)([^)#]+)", README))
def test_what_it_links_to_exists(target):
    assert (PROJECT / target).exists()


@pytest.mark.parametrize("folder", re.findall(r"^\| `([\w/]+)/`", README, flags=re.MULTILINE))
def test_the_folders_of_the_table_exist(folder):
    assert (PROJECT / folder).is_dir()
