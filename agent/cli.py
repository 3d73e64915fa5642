"""The ``watchkeeper agent`` command."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import click

from watchkeeper import logs
from watchkeeper.check import config_file
from watchkeeper.listen import parse_listen

DEFAULT_LISTEN = "127.0.0.1:8301"

LIGHT_ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}
"""One malloc arena: glibc would otherwise give each collector's thread its own, and keep them."""


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Configuration file; the shipped one watches this host, and its servers that let us in.",
)
@click.option("--listen", default=DEFAULT_LISTEN, show_default=True, help="HOST:PORT to serve on.")
@click.option(
    "--web-config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Prometheus' web configuration file: TLS, client certificates, passwords.",
)
@click.option("--once", is_flag=True, help="Print one full collection and exit.")
@click.option("--list", "list_", is_flag=True, help="Say what is watched here and why not more.")
def agent(
    config: Path | None, listen: str, web_config: Path | None, once: bool, list_: bool
) -> None:
    """Run the collectors of this host and serve them to Prometheus."""
    config = config or config_file("agent.yml", None)
    parse_listen(listen)  # refused here, in plain words, before anything is started
    if once or list_:
        logs.configure_for_people()
        (print_once if once else print_list)(config)
    else:
        become_the_agent(config, listen, web_config)


def print_once(config: Path) -> None:
    """Print the text exposition of one run of every collector."""
    from agent.configured import read_recipes  # noqa: PLC0415  # only what this call needs
    from agent.once import collect_once  # noqa: PLC0415

    sys.stdout.buffer.write(collect_once(read_recipes(config), random.Random()))  # noqa: S311


def print_list(config: Path) -> None:
    """Print each collector that would run with what it brings, and what cannot be watched."""
    from agent.configured import read_configured  # noqa: PLC0415  # only what this call needs
    from agent.once import outcomes  # noqa: PLC0415

    configured = read_configured(config)
    brought = outcomes(configured.recipes, random.Random())  # noqa: S311  # spreads load only
    for recipe in configured.recipes:
        interval = f"every {recipe.interval_seconds:g} s"
        print(f"{recipe.name:32} {interval:12} {brought[recipe.name]}")
    for name, reason in configured.refused:
        print(f"{name:32} {'not watched':12} {reason}")


def become_the_agent(config: Path, listen: str, web_config: Path | None) -> None:
    """Replace this process by the agent, which keeps its id but none of its memory."""
    environment = {**LIGHT_ENVIRONMENT, **os.environ}
    command = [sys.executable, "-m", "agent.process", str(config), listen]
    command += [str(web_config)] if web_config else []
    os.execve(sys.executable, command, environment)  # noqa: S606  # our own interpreter
