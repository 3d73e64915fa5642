"""``watchkeeper gameday`` and ``watchkeeper fault``."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console

from watchkeeper import addresses
from watchkeeper.check import config_file
from watchkeeper.clock import SystemClock
from watchkeeper.configuration import load
from watchkeeper.errors import Refused, WatchkeeperError
from watchkeeper.gameday.breaker import StackBreaker
from watchkeeper.gameday.drill import Drill, Outcome
from watchkeeper.gameday.plan import GamedayPlan
from watchkeeper.gameday.report import as_json, as_table
from watchkeeper.gameday.running import demo_stack
from watchkeeper.peers import Peer
from watchkeeper.supervisor.client import SupervisorClient, part_urls
from watchkeeper.supervisor.stack import DEMO_CONFIG_DIR

REPORT_COLUMNS = 120

DEMO_VARIABLE = "WATCHKEEPER_TASKBOARD_URL"
"""Known only where the demo's application runs."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=addresses.data_dir,
    show_default="WATCHKEEPER_DATA_DIR, else var",
    help="The directory of the running stack.",
)
_config = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Another plan than the demo's.",
)


def _plan(config: Path | None, supervisor: SupervisorClient) -> GamedayPlan:
    urls = part_urls(supervisor.processes())
    if config is None and DEMO_VARIABLE not in urls:
        raise Refused(
            "the stack that is running is not the demo, and only that has these faults; start it "
            "with watchkeeper up --demo, or name a plan of your own with --config"
        )
    path = config or config_file("gameday.yml", DEMO_CONFIG_DIR)
    return load(path, GamedayPlan, {**os.environ, **urls})


@click.command()
@click.option("--faults", default="", help="Names separated by commas; all of them by default.")
@click.option(
    "--json",
    "json_file",
    # Opened at once: a day's outcomes must not be lost to a path that cannot be written.
    type=click.File("w", encoding="utf-8", lazy=False),
    help="Also write the outcomes there, as a JSON list.",
)
@click.option("--first-quiet-seconds", type=click.FloatRange(min=0), help="Override the plan's.")
@click.option("--quiet-seconds", type=click.FloatRange(min=0), help="Override the plan's.")
@click.option("--port-offset", type=int, default=0, help="For a demo that has to be started.")
@_config
@_data_dir
def gameday(
    faults: str,
    json_file: TextIO | None,
    first_quiet_seconds: float | None,
    quiet_seconds: float | None,
    port_offset: int,
    config: Path | None,
    data_dir: Path,
) -> None:
    """Break the demo on purpose, and time how it is found and mended.

    Starts the demo if it is not running. Exit code 0 only if every fault was detected and every
    fault with an action recovered.
    """
    stop = _stop_on_signals()
    tell = _teller()
    outcomes: list[Outcome] = []
    stack = demo_stack(data_dir.absolute(), port_offset=port_offset, tell=tell, stop=stop)
    with _reported(outcomes, json_file), stack as supervisor:
        plan = _plan(config, supervisor)
        chosen = plan.chosen(tuple(name for name in faults.split(",") if name))
        urls = part_urls(supervisor.processes())
        drill = Drill(
            plan,
            alerting=Peer("alerting", base_url=urls["WATCHKEEPER_ALERTING_URL"]),
            anomaly=Peer("anomaly", base_url=urls["WATCHKEEPER_ANOMALY_URL"]),
            breaker=StackBreaker(supervisor),
            clock=SystemClock(),
            tell=tell,
            stop=stop,
        )
        drill.warm_up()
        first = plan.first_quiet if first_quiet_seconds is None else first_quiet_seconds
        later = plan.quiet if quiet_seconds is None else quiet_seconds
        for position, (name, fault) in enumerate(chosen.items()):
            quiet = later if position else first
            outcomes.append(drill.run(name, fault, quiet_seconds=quiet))
    sys.exit(0 if all(outcome.passed for outcome in outcomes) else 1)


@contextmanager
def _reported(outcomes: list[Outcome], json_file: TextIO | None) -> Iterator[None]:
    """Report on leaving what there is by then, also when the day ends early."""
    try:
        yield
    finally:
        _report(outcomes, json_file)


def _report(outcomes: list[Outcome], json_file: TextIO | None) -> None:
    if json_file is not None:
        json_file.write(as_json(outcomes))
        json_file.flush()
    # Piped output has no width of its own; the table must stay readable in a log.
    console = Console() if sys.stdout.isatty() else Console(width=REPORT_COLUMNS)
    with suppress(OSError):  # the terminal was closed
        console.print(as_table(outcomes))


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    return stop


def _teller() -> Callable[[str], None]:
    began = time.monotonic()

    def tell(line: str) -> None:
        with suppress(OSError):  # a closed terminal must not keep us from clearing up
            click.echo(f"[{time.monotonic() - began:6.1f} s] {line}")

    return tell


@click.group()
def fault() -> None:
    """Inject and clear the faults of the demo's plan."""


@fault.command("list")
@_config
@_data_dir
def list_faults(config: Path | None, data_dir: Path) -> None:
    """List the faults of the plan."""
    plan = _plan(config, SupervisorClient(data_dir.absolute()))
    width = max((len(name) for name in plan.faults), default=0)
    for name, described in plan.faults.items():
        click.echo(f"{name:<{width}}  {described.description}")


@fault.command()
@click.argument("name")
@_config
@_data_dir
def inject(name: str, config: Path | None, data_dir: Path) -> None:
    """Switch one fault on."""
    supervisor = SupervisorClient(data_dir.absolute())
    chosen = _plan(config, supervisor).chosen((name,))[name]
    StackBreaker(supervisor).do(chosen.inject)
    click.echo(f"{name} injected. {chosen.description}")


@fault.command()
@click.argument("name")
@_config
@_data_dir
def clear(name: str, config: Path | None, data_dir: Path) -> None:
    """Switch one fault off again."""
    supervisor = SupervisorClient(data_dir.absolute())
    chosen = _plan(config, supervisor).chosen((name,))[name]
    if not chosen.clear:
        raise WatchkeeperError(f"{name} cannot be cleared by command: {chosen.action} mends it")
    for step in chosen.clear:
        StackBreaker(supervisor).do(step)
    click.echo(f"{name} cleared.")
