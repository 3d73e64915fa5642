"""What an application installs: one small wheel, one top-level name, one dependency."""

from __future__ import annotations

import ast
import email
import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import prometheus_client
import pytest

PROJECT = Path(__file__).parents[2]
INSTRUMENT = PROJECT / "watchkeeper" / "instrument"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", target]
    if importlib.util.find_spec("hatchling"):
        command.append("--no-build-isolation")
    subprocess.run([*command, PROJECT / "watchkeeper"], check=True, capture_output=True, text=True)
    (built,) = target.iterdir()
    return built


def test_the_wheel_holds_the_one_top_level_name_watchkeeper(wheel):
    with zipfile.ZipFile(wheel) as archive:
        top_level = {name.split("/")[0] for name in archive.namelist()}
        assert {name for name in top_level if not name.endswith(".dist-info")} == {"watchkeeper"}
        assert "watchkeeper/instrument/__init__.py" in archive.namelist()


def test_its_only_dependency_is_prometheus_client(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(path))
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert [line.split(">")[0].strip() for line in required] == ["prometheus-client"]


def test_the_instruments_work_with_nothing_but_prometheus_client_installed(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    shutil.copytree(Path(prometheus_client.__file__).parent, tmp_path / "prometheus_client")
    program = """
import sys
sys.path.insert(0, sys.argv[1])
from watchkeeper.instrument import Instrumentation
from prometheus_client import generate_latest
made = Instrumentation("shop")
made.celery, made.rq, made.dramatiq, made.apscheduler
made.http, made.tasks, made.pools, made.database, made.caches, made.handoffs, made.http_client
assert b"process_resident_memory_bytes" in generate_latest(made.registry)
print(sys.modules["watchkeeper"].__file__)
"""
    # -S leaves out every installed package, -I the environment and the current directory.
    command = [sys.executable, "-I", "-S", "-c", program, tmp_path]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert Path(ran.stdout.strip()).is_relative_to(tmp_path)


@pytest.mark.parametrize("file", sorted(INSTRUMENT.glob("*.py")), ids=lambda file: file.name)
def test_an_instrument_imports_nothing_but_the_standard_library_and_the_catalogue(file):
    imported = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    ours = {name for name in imported if name.split(".")[0] == "watchkeeper"}
    others = {name.split(".")[0] for name in imported - ours} - sys.stdlib_module_names
    assert others <= {"prometheus_client", "_typeshed"}  # _typeshed: for type checkers only
    allowed = ("watchkeeper.instrument", "watchkeeper.catalogue")
    assert all(name.startswith(allowed) for name in ours)
