"""``watchkeeper alerting``: alerts in; incidents, messages and actions out."""

from __future__ import annotations

from pathlib import Path

import click

from alerting.app import Alerting
from watchkeeper import addresses, logs
from watchkeeper.check import config_file

HERE = Path(__file__).parent


@click.command()
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
def alerting(alerting_file: Path, remediation_file: Path | None, listen: str) -> None:
    """Turn alerts into incidents, messages and actions."""
    logs.configure("alerting")
    rules = remediation_file or config_file("remediation.yml", alerting_file.parent)
    service = Alerting(alerting_file, rules, data_dir=addresses.data_dir() / "alerting")
    service.start()
    service.service.on_stop(service.stop)
    service.service.run(listen)
