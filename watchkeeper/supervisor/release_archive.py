"""An official release archive: fetched whole, compared with its pinned checksum, then unpacked."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import requests
from rich.progress import Progress

from watchkeeper.errors import Reason, UpstreamError

CONNECT_AND_READ_TIMEOUT_SECONDS = (10, 60)
CHUNK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class ReleaseArchive:
    """Where a ``.tar.gz`` lies, what it must be, and which of its files we want.

    Attributes:
        url: its address.
        sha256: its checksum, 64 hexadecimal digits.
        files: wanted files by name; the archive holds them in one top directory.
    """

    url: str
    sha256: str
    files: tuple[str, ...]

    def install(self, directory: Path) -> None:
        """Put the wanted files into ``directory``, which appears whole or not at all.

        Raises:
            UpstreamError: the archive cannot be fetched, is not the pinned one, or lacks a file.
        """
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".draft-") as scratch:
            archive = Path(scratch) / "archive.tar.gz"
            with archive.open("wb") as file:
                found = self._download(file)
            if found != self.sha256:
                raise UpstreamError(
                    f"{self.url} is not the release it should be: expected SHA-256 {self.sha256}, "
                    f"got {found}; nothing was installed",
                    reason=Reason.BAD_ANSWER,
                )
            draft = Path(scratch) / "unpacked"
            self._unpack(archive, draft)
            draft.replace(directory)

    def _download(self, file: IO[bytes]) -> str:
        """Write the archive to ``file`` and return its SHA-256."""
        digest = hashlib.sha256()
        try:
            with (
                requests.get(
                    self.url, stream=True, timeout=CONNECT_AND_READ_TIMEOUT_SECONDS
                ) as answer,
                Progress(transient=True) as progress,
            ):
                answer.raise_for_status()
                size_bytes = int(answer.headers.get("Content-Length", 0)) or None
                task = progress.add_task("downloading", total=size_bytes)
                for chunk in answer.iter_content(CHUNK_BYTES):
                    digest.update(chunk)
                    file.write(chunk)
                    progress.advance(task, len(chunk))
        except requests.RequestException as error:
            raise UpstreamError(f"{self.url} cannot be fetched: {error}") from None
        return digest.hexdigest()

    def _unpack(self, archive: Path, directory: Path) -> None:
        directory.mkdir()
        with tarfile.open(archive) as tar:
            members = {Path(member.name).name: member for member in tar if member.isfile()}
            for name in self.files:
                source = tar.extractfile(members[name]) if name in members else None
                if source is None:
                    message = f"{self.url} holds no {name}"
                    raise UpstreamError(message, reason=Reason.BAD_ANSWER)
                with source, (directory / name).open("wb") as target:
                    shutil.copyfileobj(source, target)
                (directory / name).chmod(0o755)
