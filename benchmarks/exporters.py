"""The exporters the agent is measured against: Debian's packages, installed or unpacked."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

PACKAGES = ("prometheus-node-exporter", "prometheus-postgres-exporter", "prometheus-redis-exporter")
"""Names of the Debian packages, and of their programs."""


CACHE = Path.home() / ".cache" / "watchkeeper" / "exporters"
"""Where packages that are not installed are unpacked."""


def find_one(name: str, cache: Path) -> Path:
    """Return the program of one package; otherwise as ``find``."""
    program = shutil.which(name) or _unpacked(name, cache)
    if program is None:
        raise FileNotFoundError(f"cannot find or fetch {name}")
    return Path(program)


def find(cache: Path) -> Mapping[str, Path]:
    """Return the programs by package name.

    Those on PATH are used; else the packages are fetched with apt and unpacked under ``cache``,
    which needs no root and installs nothing.

    Raises:
        FileNotFoundError: neither worked, so there is nothing to compare with.
    """
    found = {name: shutil.which(name) or _unpacked(name, cache) for name in PACKAGES}
    missing = [name for name, program in found.items() if program is None]
    if missing:
        raise FileNotFoundError(f"cannot find or fetch {', '.join(missing)}")
    return {name: Path(program) for name, program in found.items() if program is not None}


def _unpacked(name: str, cache: Path) -> Path | None:
    program = cache / "usr" / "bin" / name
    if not program.exists() and shutil.which("apt-get"):
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-q", name], cwd=cache, check=False)
        for package in cache.glob(f"{name}_*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(package), str(cache)], check=False)
    return program if program.exists() else None
