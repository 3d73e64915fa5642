"""``watchkeeper console``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from dashboards.console.app import furnish
from dashboards.console.door import Door
from dashboards.console.pages.events import STREAMS
from dashboards.console.room import Room
from dashboards.console.settings import ConsoleSettings
from dashboards.console.sources import Sources
from dashboards.console.watch import Watch
from dashboards.report.report import gather
from dashboards.report.schedule import Schedule
from watchkeeper import addresses, logs
from watchkeeper.check import config_file
from watchkeeper.clock import SystemClock
from watchkeeper.reloading import follow
from watchkeeper.serving import Service
from watchkeeper.tokens import TokenFile

DEFAULT_LISTEN = "127.0.0.1:8300"

THREADS = 16 + STREAMS
"""Pages take milliseconds, so a few threads do; a browser that is told of changes holds one."""


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Configuration file; the shipped console.yml holds the defaults.",
)
@click.option("--listen", default=DEFAULT_LISTEN, show_default=True, help="HOST:PORT to serve on.")
def console(config: Path | None, listen: str) -> None:
    """Serve the console."""
    logs.configure("console")
    service = Service("console", import_name="dashboards.console")
    settings = follow(service, config or config_file("console.yml", None), ConsoleSettings)
    room = open_room(lambda: settings.current)
    furnish(service, room)
    room.watch.start()
    schedule = reports_of(room)
    schedule.start()
    service.on_stopping(schedule.stop)
    service.run(listen, threads=THREADS, streams=True)


def open_room(settings: Callable[[], ConsoleSettings]) -> Room:
    """Return what the pages are given: clients of the configured addresses, and their watch."""
    sources = Sources.connect(settings())
    watch = Watch(sources.watched(settings), refresh_seconds=lambda: settings().refresh_seconds)
    clock = SystemClock()
    door = Door(addresses.api_token(), TokenFile(addresses.named_tokens_file()), clock)
    return Room(sources, watch, settings, clock, door)


def reports_of(room: Room) -> Schedule:
    """Return what sends the daily report of a room's sources."""
    return Schedule(
        lambda: room.settings().report,
        lambda period: gather(room.sources.prometheus, room.sources.alerting, period),
        directory=addresses.data_dir() / "console",
        clock=room.clock,
    )
