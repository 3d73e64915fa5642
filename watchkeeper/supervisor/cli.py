"""``watchkeeper up``: the whole stack in the foreground."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import click
from rich.console import Console

from watchkeeper import addresses
from watchkeeper.errors import Refused
from watchkeeper.supervisor import control, ports, run_directory, secrets, stack
from watchkeeper.supervisor.discovery import Discovery
from watchkeeper.supervisor.operations import Operations
from watchkeeper.supervisor.screen import Screen
from watchkeeper.supervisor.supervisor import Supervisor

PLAIN_COLUMNS = 160
FOR_THIS_USER = 0o077
"""What the parts write tells of alerts, queries and incidents."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command()
@click.option("--demo", is_flag=True, help="Run the taskboard example too, with load.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    show_default="WATCHKEEPER_DATA_DIR, else var",
    help="Holds all state.",
)
@click.option(
    "--config-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Its files take the place of the shipped ones.",
)
@click.option(
    "--port-offset", type=click.IntRange(0, 50000), default=0, help="Added to every port."
)
@click.option("--no-prometheus", is_flag=True, help="Use the one at WATCHKEEPER_PROMETHEUS_URL.")
def up(
    demo: bool,
    data_dir: Path | None,
    config_dir: Path | None,
    port_offset: int,
    no_prometheus: bool,
) -> None:
    """Run the whole stack on this machine, in the foreground, until Ctrl-C."""
    if demo and config_dir is None:
        config_dir = _demo_config()
    place = stack.Place(
        (data_dir or addresses.data_dir()).absolute(),
        config_dir.absolute() if config_dir else None,
        port_offset,
    )
    without = frozenset({"prometheus"} if no_prometheus else ())
    wanted = stack.read(place, without=without)
    addresses.make_data_dir(place.data_dir)
    os.umask(FOR_THIS_USER)
    with run_directory.claimed(place.data_dir) as socket_path:
        ports.require_free(dict(wanted.ports()))
        _run(wanted, socket_path)


def _run(wanted: stack.Stack, socket_path: Path) -> None:
    data_dir = wanted.place.data_dir
    discovery = Discovery(stack.PROJECT / "prometheus", data_dir / "prometheus", wanted)
    edited = discovery.prepare()
    secrets.ensure(data_dir)
    # Piped output has no width of its own; what is cut from the table cannot be copied from it.
    console = Console() if sys.stdout.isatty() else Console(width=PLAIN_COLUMNS)
    screen = Screen(console, data_dir)
    for path in edited:
        screen.say(f"kept as you changed it: {path} (delete it to get the shipped one)")
    supervisor = Supervisor(wanted, discovery, on_change=screen.show, on_trouble=screen.say)
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: supervisor.stop())
    try:
        with control.serving(Operations(supervisor), socket_path):
            supervisor.run()
    finally:
        screen.close()
    screen.say("everything has ended")


def _demo_config() -> Path:
    directory = stack.DEMO_CONFIG_DIR
    if not directory.is_dir():
        raise Refused(f"the demo is part of the project's checkout; {directory} is not there")
    return directory
