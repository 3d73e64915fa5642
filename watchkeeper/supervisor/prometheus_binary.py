"""Finding Prometheus, and getting it where the machine has none.

``python -m watchkeeper.supervisor.prometheus_binary`` makes sure that there is one: on PATH; else
from the system's packages where we may install; else the official release archive.
"""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

import click

from watchkeeper.errors import Refused, UpstreamError, WatchkeeperError
from watchkeeper.supervisor import debian
from watchkeeper.supervisor.release_archive import ReleaseArchive

PROJECT_CACHE = Path(__file__).parent.parent.parent / ".cache"

VERSION = "2.54.0"
"""The release fetched where neither PATH nor the system's packages have one."""

SHA256 = {
    "linux-amd64": "465e1393a0cca9705598f6ffaf96ffa78d0347808ab21386b0c6aaec2cf7aa13",
    "linux-arm64": "ed50b67cb833a225ec2a53b487c6e20372b20e56dce226423fa8611c8aa50392",
    "darwin-amd64": "ca4caee10bfd114adcffe8c23b80e53973be4a7c2666cd5a182a601f0eac2295",
    "darwin-arm64": "875db6df65636d047b6aea3cfac56f4a0e2deb325232fb87bda2383d0330f033",
}
"""Checksum of each platform's archive; an archive that differs is not unpacked."""

RELEASES = "https://github.com/prometheus/prometheus/releases/download"

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def find(cache_dir: Path, program: str = "prometheus") -> Path | None:
    """Return ``program`` (``prometheus`` or ``promtool``) from PATH or the cache, or None."""
    on_path = shutil.which(program)
    if on_path:
        return Path(on_path)
    cached = _cached(cache_dir) / program
    return cached if cached.is_file() else None


def install(cache_dir: Path) -> Path:
    """Return Prometheus, getting it first where it is missing.

    Args:
        cache_dir: where a fetched release is kept.

    Raises:
        Refused: there is no release archive for this platform.
        UpstreamError: the archive cannot be fetched or is not the pinned one.
    """
    found = find(cache_dir) or _from_packages(cache_dir)
    if found is None:
        click.echo(f"Prometheus {VERSION}: fetching the official release for {this_platform()}")
        release_for(this_platform()).install(_cached(cache_dir))
        found = _cached(cache_dir) / "prometheus"
    return found


def this_platform() -> str:
    """Return this machine's name in release archives, such as ``linux-amd64``."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}-{_ARCHITECTURES.get(machine, machine)}"


def release_for(target: str, *, releases: str = RELEASES) -> ReleaseArchive:
    """Return the pinned archive for the platform ``target``; raise Refused when none is pinned."""
    if target not in SHA256:
        raise Refused(
            f"no Prometheus release is pinned for {target} (only for {', '.join(sorted(SHA256))}); "
            "install Prometheus 2.42 or newer so that it is on PATH"
        )
    return ReleaseArchive(
        url=f"{releases}/v{VERSION}/prometheus-{VERSION}.{target}.tar.gz",
        sha256=SHA256[target],
        files=("prometheus", "promtool", "LICENSE", "NOTICE"),
    )


def _cached(cache_dir: Path) -> Path:
    return cache_dir / f"prometheus-{VERSION}.{this_platform()}"


def _from_packages(cache_dir: Path) -> Path | None:
    if not debian.may_install():
        return None
    click.echo("Prometheus: installing the system's package")
    try:
        debian.install("prometheus", services=("prometheus.service",))
    except UpstreamError as error:
        click.echo(f"{error}; trying the official release instead", err=True)
        return None
    return find(cache_dir)


def main() -> None:
    """Make sure that Prometheus is there and say where; else exit 1 with the reason."""
    try:
        click.echo(f"Prometheus: {install(PROJECT_CACHE)}")
    except WatchkeeperError as error:
        click.echo(f"Prometheus could not be installed: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
