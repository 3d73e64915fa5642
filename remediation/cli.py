"""``watchkeeper remediation``: the reference webhook endpoint."""

from __future__ import annotations

from pathlib import Path

import click

from remediation.api import make_service
from watchkeeper import logs
from watchkeeper.addresses import DEFAULT_PORTS

CONFIG = Path(__file__).with_name("endpoint.yml")


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=CONFIG,
    help="Configuration file; the shipped endpoint.yml allows nothing.",
)
@click.option(
    "--listen",
    default=f"127.0.0.1:{DEFAULT_PORTS['remediation']}",
    show_default=True,
    help="HOST:PORT to serve on.",
)
def remediation(config: Path, listen: str) -> None:
    """Carry out signed remediation webhooks, at most once each."""
    logs.configure("remediation")
    make_service(config).run(listen)
