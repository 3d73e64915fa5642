"""``watchkeeper alerting``: alerts in; incidents, messages and actions out."""

from __future__ import annotations

from pathlib import Path

import click
import yaml

from alerting.alertmanager_import import convert
from alerting.app import Alerting
from watchkeeper import addresses, logs
from watchkeeper.check import config_file
from watchkeeper.errors import Refused

HERE = Path(__file__).parent


@click.group(invoke_without_command=True)
@click.pass_context
@click.option(
    "--config",
    "alerting_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=HERE / "alerting.yml",
    help="alerting.yml; receivers and routes.",
)
@click.option(
    "--rules",
    "remediation_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="remediation.yml; by default the one beside --config, else the shipped one.",
)
@click.option("--listen", default="127.0.0.1:8303", help="HOST:PORT to serve on.")
def alerting(
    context: click.Context, alerting_file: Path, remediation_file: Path | None, listen: str
) -> None:
    """Turn alerts into incidents, messages and actions."""
    if context.invoked_subcommand is not None:
        return
    logs.configure("alerting")
    rules = remediation_file or config_file("remediation.yml", alerting_file.parent)
    service = Alerting(alerting_file, rules, data_dir=addresses.data_dir() / "alerting")
    service.start()
    service.service.on_stop(service.stop)
    service.service.run(listen)


@alerting.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def import_alertmanager(file: Path) -> None:
    """Print what FILE, an alertmanager.yml, says, as an alerting.yml.

    What has to be done by hand is told on standard error.
    """
    try:
        found = convert(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Refused(f"{file} is no YAML: {error}") from None
    click.echo(yaml.safe_dump(found.content, sort_keys=False, allow_unicode=True), nl=False)
    for remark in found.remarks:
        click.echo(f"# {remark}", err=True)
