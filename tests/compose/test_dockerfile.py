"""The images, as far as they can be checked without a builder: sources, users, commands, ports."""

import functools
import importlib
import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import click
import pytest
import yaml

from tests.compose.installed import closure, modules_outside
from tests.prometheus.rulebook import PROJECT
from watchkeeper.cli import COMMANDS

TARGETS = ("agent", "anomaly", "alerting", "remediation", "console", "taskboard")
each_target = pytest.mark.parametrize("target", TARGETS)


@functools.cache
def stages():
    """Return the instructions of each stage, by its name, as (instruction, rest of the line)."""
    text = (PROJECT / "Dockerfile").read_text().replace("\\\n", "")
    found, current = {}, []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            current = found.setdefault(rest.rpartition(" ")[2], [])
        current.append((instruction, rest))
    return found


def last(target, instruction):
    return [rest for name, rest in stages()[target] if name == instruction][-1]


def command_line(target, arguments=None):
    """Return the click command a container runs, and what it is given."""
    entry = json.loads(last(target, "ENTRYPOINT"))
    given = json.loads(last(target, "CMD")) if arguments is None else arguments
    if entry[0] == "watchkeeper":
        module, _, name = COMMANDS[entry[1]][0].partition(":")
        return getattr(importlib.import_module(module), name), given
    assert entry == ["python", "-m", "taskboard"]
    root = importlib.import_module("taskboard.cli").root
    return root.commands[given[0]], given[1:]


def options(target, arguments=None):
    """Return the options a container's command is given, or fail as the command itself would."""
    command, given = command_line(target, arguments)
    parsed, left, _ = command.make_parser(click.Context(command)).parse_args(list(given))
    assert left == []
    return parsed


@each_target
def test_an_image_does_not_run_as_root(target):
    assert last(target, "USER") == "watchkeeper"
    assert stages()[target][0] == ("FROM", f"service AS {target}")


@each_target
def test_an_image_starts_a_command_that_exists_with_options_it_knows(target):
    assert options(target)["listen"].startswith("0.0.0.0:")


@each_target
def test_an_image_is_asked_for_its_health_on_the_port_it_listens_on(target):
    assert last(target, "ENV") == f"PORT={options(target)['listen'].rpartition(':')[2]}"


@pytest.mark.parametrize(("path", "healthy"), [("/healthz", True), ("/readyz", False)])
def test_the_health_check_believes_healthz_and_nothing_else(path, healthy):
    program = json.loads(last("service", "HEALTHCHECK").partition(" CMD ")[2])
    assert program[:2] == ["python", "-c"]
    with answering_only(path) as port:
        environment = {**os.environ, "PORT": str(port)}
        done = subprocess.run([sys.executable, *program[1:]], env=environment, check=False)
    assert (done.returncode == 0) is healthy


@contextmanager
def answering_only(path):
    def do_get(handler):
        handler.send_response(200 if handler.path == path else 503)
        handler.end_headers()

    quiet = {"do_GET": do_get, "log_message": lambda *_: None}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("H", (BaseHTTPRequestHandler,), quiet))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_every_command_of_the_compose_file_has_options_its_image_knows():
    declared = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]
    built = {name: given for name, given in declared.items() if "build" in given}
    assert len(built) >= len(TARGETS)
    for given in built.values():
        options(given["build"]["target"], given.get("command"))


def test_the_wheels_are_those_the_projects_build():
    for project in (".", "watchkeeper", "examples/taskboard"):
        described = tomllib.loads((PROJECT / project / "pyproject.toml").read_text())["project"]
        wheel = f"{described['name'].replace('-', '_')}-{described['version']}-py3-none-any.whl"
        assert f"file:///wheels/{wheel}" in (PROJECT / "Dockerfile").read_text()


@each_target
def test_an_image_holds_the_extra_its_service_needs(target):
    described = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    extras = set(described["optional-dependencies"]) & set(TARGETS)
    installed = set(re.findall(r"watchkeeper-stack\[(\w+)\]", str(stages()[target])))
    assert installed == extras & {target}


IMPORT_WITHOUT = """
import importlib, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"{name} is not in this image", name=name)
absent = set(sys.argv[2:])
sys.meta_path.insert(0, Absent())
importlib.import_module(sys.argv[1])
"""


@each_target
def test_an_image_holds_what_its_service_imports(target):
    held = closure(
        *re.findall(r'"([\w\[\]-]+) @ file:', str([stages()["service"], stages()[target]]))
    )
    absent = modules_outside(held) - {"_virtualenv", "pip", "setuptools"}
    assert {"pytest", "hypothesis"} <= absent
    module = (
        "taskboard.web" if target == "taskboard" else command_line(target)[0].callback.__module__
    )
    subprocess.run([sys.executable, "-c", IMPORT_WITHOUT, module, *absent], cwd=PROJECT, check=True)


def test_what_is_copied_into_the_images_exists_and_is_sent_to_the_builder():
    sent = {
        line.removeprefix("!")
        for line in (PROJECT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert all((PROJECT / name).exists() for name in sent)
    packages = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
        "targets"
    ]["wheel"]["packages"]
    assert {*packages, "watchkeeper", "pyproject.toml", "README.md", "constraints.txt"} <= sent


def test_nothing_is_compiled_in_an_image():
    assert "PIP_ONLY_BINARY=:all:" in last("service", "ENV")
