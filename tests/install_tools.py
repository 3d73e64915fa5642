"""Installs what the tests drive beside Prometheus, where the system's packages have it.

Run by setup.sh. A machine without one of these can still run the stack, so this never fails a
set-up; the tests that need one say so themselves, and in CI that is a failure (``conftest.py``).
"""

from __future__ import annotations

import shutil
import subprocess
from typing import NamedTuple

import click

from tests.agent import postgres_releases
from watchkeeper.errors import UpstreamError
from watchkeeper.supervisor import debian


class Tool(NamedTuple):
    """One program of the system's, by any of its names, and the Debian package that brings it."""

    title: str
    programs: tuple[str, ...]
    package: str
    services: tuple[str, ...]
    needed_for: str

    def path(self) -> str | None:
        """Return where it is installed, or None."""
        found = (shutil.which(name) for name in self.programs)
        return next((path for path in found if path), None)


TOOLS = (
    Tool(
        "Chromium",
        ("chromium", "chromium-browser", "google-chrome"),
        "chromium",
        (),
        "the tests of the console in a browser",
    ),
    Tool("HAProxy", ("haproxy",), "haproxy", ("haproxy",), "the tests of remediation"),
    Tool("podman", ("podman",), "podman", (), "the tests of remediation with containers"),
    Tool(
        "runc", ("runc", "/usr/sbin/runc"), "runc", (), "the tests of remediation with containers"
    ),
    Tool(
        "netavark",
        ("netavark", "/usr/lib/podman/netavark"),
        "netavark",
        (),
        "the tests of remediation with containers",
    ),
    Tool("busybox", ("busybox",), "busybox-static", (), "the tests of remediation with containers"),
    Tool(
        "RabbitMQ",
        ("rabbitmq-server",),
        "rabbitmq-server",
        ("rabbitmq-server", "epmd"),
        "the tests of the agent's view of RabbitMQ",
    ),
    Tool(
        "amtool",
        ("amtool",),
        "prometheus-alertmanager",
        ("prometheus-alertmanager",),
        "the tests of alerting's API, and the benchmark against Alertmanager",
    ),
    Tool(
        "node_exporter",
        ("prometheus-node-exporter",),
        "prometheus-node-exporter",
        ("prometheus-node-exporter",),
        "the tests of the agent's host beside it",
    ),
    Tool(
        "process-exporter",
        ("prometheus-process-exporter",),
        "prometheus-process-exporter",
        ("prometheus-process-exporter",),
        "the tests of the agent's processes by pattern beside it",
    ),
    Tool(
        "postgres_exporter",
        ("prometheus-postgres-exporter",),
        "prometheus-postgres-exporter",
        ("prometheus-postgres-exporter",),
        "the tests that compare the agent with it",
    ),
    Tool(
        "MariaDB",
        ("mariadbd", "/usr/sbin/mariadbd"),
        "mariadb-server-core",
        (),
        "the agent's tests of MySQL",
    ),
    Tool(
        "VictoriaMetrics",
        ("victoria-metrics",),
        "victoria-metrics",
        ("victoria-metrics",),
        "the tests of anomaly reading from it",
    ),
    Tool(
        "mysqld_exporter",
        ("prometheus-mysqld-exporter",),
        "prometheus-mysqld-exporter",
        ("prometheus-mysqld-exporter",),
        "the tests that compare the agent with it",
    ),
)


def main() -> None:
    """Install what is missing where we may, and say where it is."""
    for tool in TOOLS:
        if tool.path() is None and debian.may_install():
            click.echo(f"{tool.title}: installing the system's package for {tool.needed_for}")
            try:
                debian.install(tool.package, services=tool.services)
            except UpstreamError as error:
                click.echo(f"{tool.title} could not be installed: {error}", err=True)
        click.echo(f"{tool.title}: {tool.path() or f'none; needed for {tool.needed_for}'}")
    try:
        postgres_releases.fetch_missing()
    except (OSError, subprocess.SubprocessError) as error:
        click.echo(f"older versions of PostgreSQL could not be fetched: {error}", err=True)
    click.echo(f"PostgreSQL for the agent's tests: {postgres_releases.here()}")


if __name__ == "__main__":
    main()
