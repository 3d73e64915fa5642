"""``watchkeeper check``: validate every configuration file and say all that is wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from watchkeeper import addresses
from watchkeeper.configuration import Settings, load
from watchkeeper.errors import ConfigError, Problem
from watchkeeper.supervisor import secrets

FILES = {
    "agent.yml": "agent.settings.whole:AgentSettings",
    "anomaly.yml": "anomaly.settings:AnomalySettings",
    "alerting.yml": "alerting.settings:AlertingSettings",
    "remediation.yml": "alerting.remediation_rules:RemediationSettings",
    "endpoint.yml": "remediation.settings:EndpointSettings",
    "console.yml": "dashboards.console.settings:ConsoleSettings",
    "stack.yml": "watchkeeper.supervisor.settings:StackSettings",
    "gameday.yml": "watchkeeper.gameday.plan:GamedayPlan",
}
"""File name to the model that must validate it."""

WHOLE = {
    "agent.yml": "agent.files_together:problems_in",
    "remediation.yml": "alerting.files_together:problems_in",
    "stack.yml": "watchkeeper.supervisor.stack:problems_in",
}
"""File name to what sees whether its entries, each right by itself, also fit together."""

SHIPPED = {
    "agent.yml": "agent/agent.yml",
    "anomaly.yml": "anomaly/anomaly.yml",
    "alerting.yml": "alerting/alerting.yml",
    "remediation.yml": "alerting/remediation.yml",
    "endpoint.yml": "remediation/endpoint.yml",
    "console.yml": "dashboards/console/console.yml",
    "stack.yml": "watchkeeper/supervisor/stack.yml",
    "gameday.yml": "watchkeeper/gameday/gameday.yml",
}
"""File name to the shipped default, relative to the directory the packages are installed in."""


def model_of(name: str) -> type[Settings]:
    """Return the model of a configuration file by its name."""
    model: type[Settings] = _named(FILES[name])
    return model


def _named(path: str) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)


def config_file(name: str, config_dir: Path | None) -> Path:
    """Return the file in force: the one in ``config_dir``, else the shipped default."""
    if config_dir is not None and (config_dir / name).exists():
        return config_dir / name
    room = SHIPPED[name].split("/", maxsplit=1)[0]
    package = import_module(room)
    assert package.__file__ is not None  # noqa: S101  # our rooms are ordinary packages
    return Path(package.__file__).parent.parent / SHIPPED[name]


def problems_in(
    config_dir: Path | None, environment: Mapping[str, str] | None = None
) -> list[Problem]:
    """Return every problem in the configuration in force; also files nothing would read."""
    problems: list[Problem] = []
    for name in FILES:
        try:
            load(config_file(name, config_dir), model_of(name), environment)
            if name in WHOLE:
                problems += _named(WHOLE[name])(config_dir)
        except ConfigError as error:
            problems += error.problems
    if config_dir is not None:
        unknown = {path.name for path in config_dir.glob("*.yml")} - set(FILES)
        expected = ", ".join(sorted(FILES))
        problems += [
            Problem(str(config_dir / name), 1, "", f"no part reads this file; expected {expected}")
            for name in sorted(unknown)
        ]
    return problems


def _with_secrets(stand_in: Path) -> dict[str, str]:
    """Return the environment, with the secrets ``up`` makes in ``stand_in`` until it has run."""
    data_dir = addresses.data_dir()
    if not (data_dir / "secrets").exists():
        secrets.ensure(stand_in)
        data_dir = stand_in
    return {**os.environ, "WATCHKEEPER_DATA_DIR": str(data_dir)}


@click.command()
@click.option(
    "--config-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Its files take the place of the shipped ones, as for `up`.",
)
def check(config_dir: Path | None) -> None:
    """Validate all configuration; exit 2 naming file, line and key of each problem.

    Nothing is written: for secrets that the first `up` will make, others stand in.
    """
    with TemporaryDirectory() as stand_in:
        problems = problems_in(config_dir, _with_secrets(Path(stand_in)))
    for problem in problems:
        click.echo(str(problem), err=True)
    if problems:
        click.echo(f"{len(problems)} problem(s) found", err=True)
        sys.exit(2)
    for name in FILES:
        click.echo(f"ok  {config_file(name, config_dir)}")
