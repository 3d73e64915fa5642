"""``watchkeeper anomaly``."""

from __future__ import annotations

from pathlib import Path

import click

from anomaly.ledger import Ledger
from anomaly.service import AnomalyService, ledger_path
from anomaly.settings import AnomalySettings
from watchkeeper import addresses, logs
from watchkeeper.check import config_file
from watchkeeper.clock import SystemClock
from watchkeeper.peers import Peer
from watchkeeper.prometheus import PrometheusClient
from watchkeeper.reloading import follow
from watchkeeper.serving import Service
from watchkeeper.storage import open_database, sqlite_url


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Configuration file; the shipped anomaly.yml holds the defaults.",
)
@click.option(
    "--listen", default="127.0.0.1:8302", show_default=True, help="HOST:PORT to serve on."
)
def anomaly(config: Path | None, listen: str) -> None:
    """Learn what is normal and score what is not."""
    logs.configure("anomaly")
    path = config or config_file("anomaly.yml", None)
    service = Service("anomaly", import_name=__name__)
    watched = follow(service, path, AnomalySettings)
    prometheus_url = addresses.url_of("prometheus")
    alerts_url = watched.current.alerts.url
    anomaly_service = AnomalyService(
        service,
        config=watched,
        ledger=Ledger(open_database(sqlite_url(ledger_path(addresses.data_dir())))),
        open_reader=lambda timeout: PrometheusClient(prometheus_url, timeout_seconds=timeout),
        receiver=Peer("alerting", base_url=alerts_url),
        clock=SystemClock(),
    )
    anomaly_service.start()
    service.run(listen)
