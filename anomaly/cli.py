"""``watchkeeper anomaly``."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path

import click
from sqlalchemy.engine import Engine

from anomaly.answers import RangeClient
from anomaly.leases import Leases
from anomaly.ledger import Ledger
from anomaly.service import AnomalyService, ledger_path
from anomaly.settings import AnomalySettings, ScaleOutSettings
from watchkeeper import addresses, logs
from watchkeeper.check import config_file
from watchkeeper.clock import Clock, SystemClock
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
    scale_out = watched.current.scale_out
    clock = SystemClock()
    database = scale_out.database.reveal() if scale_out else None
    engine = open_database(database or sqlite_url(ledger_path(addresses.data_dir())))
    ledger = Ledger(engine)
    leases = _leases_of(scale_out, engine, clock) if scale_out else None
    anomaly_service = AnomalyService(
        service,
        config=watched,
        ledger=ledger,
        open_reader=lambda timeout: RangeClient(
            PrometheusClient(prometheus_url, timeout_seconds=timeout)
        ),
        receiver=Peer("alerting", base_url=alerts_url),
        clock=clock,
        leases=leases,
    )
    anomaly_service.start()
    service.run(listen)


def _leases_of(settings: ScaleOutSettings, engine: Engine, clock: Clock) -> Leases:
    return Leases(
        engine,
        replica=f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}",
        shards=settings.shards,
        lease_seconds=settings.lease,
        clock=clock,
    )
