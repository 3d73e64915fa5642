"""The commands: one for each process of the taskboard."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

import click

from taskboard.agents import Agent
from taskboard.settings import SERVICE, Settings, read_settings
from watchkeeper import logs


class ListenType(click.ParamType[tuple[str, int]]):
    """``HOST:PORT``."""

    name = "HOST:PORT"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Return host and port."""
        host, _, port = value.rpartition(":")
        if not host or not port.isdecimal():
            self.fail(f"expected HOST:PORT such as 127.0.0.1:8310, got {value!r}", param, ctx)
        return host, int(port)


def _part(name: str) -> ModuleType:
    """Return a module of ours, imported only now: each process loads what it needs and no more."""
    return import_module(f"taskboard.{name}")


def _settings() -> Settings:
    try:
        return read_settings()
    except ValueError as error:
        raise click.UsageError(str(error)) from None


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def root() -> None:
    """A small real task-handling service to watch, load and break."""


@root.command()
@click.option("--agent", type=click.Choice([agent.value for agent in Agent]), required=True)
@click.option("--listen", type=ListenType(), default="127.0.0.1:8310", show_default=True)
def web(agent: str, listen: tuple[str, int]) -> None:
    """Serve one agent's API."""
    logs.configure(SERVICE)
    _part("web").serve(Agent(agent), *listen, _settings())


@root.command()
@click.option("--instance", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--metrics-host", default="127.0.0.1", show_default=True)
@click.option("--metrics-port", type=int, default=8320, show_default=True)
def worker(instance: int, metrics_host: str, metrics_port: int) -> None:
    """Do the background jobs."""
    logs.configure(SERVICE)
    _part("worker").work(instance, metrics_host, metrics_port, _settings())


@root.command()
@click.option("--listen", type=ListenType(), default="127.0.0.1:8312", show_default=True)
@click.option("--rate", type=click.FloatRange(0.1, 200), default=10.0, show_default=True)
def load(listen: tuple[str, int], rate: float) -> None:
    """Make RATE requests a second on both agents."""
    logs.configure(SERVICE)
    _part("load").generate(*listen, rate, _settings())


@root.command()
@click.option("--port", type=int, default=8313, show_default=True)
@click.option("--data-dir", type=click.Path(path_type=Path), required=True)
def postgres(port: int, data_dir: Path) -> None:
    """Run the demo's PostgreSQL."""
    _part("servers.postgres").serve(data_dir.resolve(), port)


@root.command()
@click.option("--port", type=int, default=8314, show_default=True)
@click.option("--data-dir", type=click.Path(path_type=Path))
def valkey(port: int, data_dir: Path | None) -> None:
    """Run the demo's Redis-compatible server."""
    _part("servers.valkey").serve(port, data_dir)
