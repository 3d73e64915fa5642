"""``watchkeeper console``."""

from __future__ import annotations

from pathlib import Path

import click

from dashboards.console.app import build
from dashboards.console.room import Room
from dashboards.console.settings import ConsoleSettings
from dashboards.console.sources import Sources
from dashboards.console.watch import Watch
from watchkeeper import logs
from watchkeeper.check import config_file
from watchkeeper.clock import SystemClock
from watchkeeper.configuration import WatchedFile

THREADS = 16
"""Pages take milliseconds; the rest are for browsers that hold a stream open."""


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="console.yml; defaults to ours.")
@click.option("--listen", default="127.0.0.1:8300", show_default=True, help="HOST:PORT to bind.")
def console(config: Path | None, listen: str) -> None:
    """Serve the console."""
    logs.configure("console")
    file = WatchedFile(config or config_file("console.yml", None), ConsoleSettings)
    build(room_of(file)).run(listen, threads=THREADS)


def room_of(file: WatchedFile[ConsoleSettings]) -> Room:
    """Return the room with its watch started; a changed file is taken up while it runs."""
    sources = Sources.connect(file.current)

    def configuration() -> str | None:
        file.reload_if_changed()
        return str(file.problem) if file.problem else None

    watch = Watch(
        {**sources.watched(file.current), "configuration": configuration},
        refresh_seconds=file.current.refresh_seconds,
    )
    watch.start()
    return Room(sources, watch, lambda: file.current, SystemClock())
